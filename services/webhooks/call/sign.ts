import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { type Millis, SECOND } from "../../platform/contract/time.ts";

const PREFIX = "whsec_";
/** Bytes of a new key; Standard Webhooks allows 24 to 64. */
const KEY_BYTES = 32;
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;

/** Draws a symmetric secret (Standard Webhooks 1.0, "Signature scheme"): `whsec_` and 32 random bytes in base64. */
export const newSecret = (): string => PREFIX + randomBytes(KEY_BYTES).toString("base64");

/** Checks that a text is `whsec_` and 24 to 64 bytes in base64. */
export const isSecret = (text: string): boolean => {
  const encoded = text.slice(PREFIX.length);
  const key = Buffer.from(encoded, "base64");
  if (!text.startsWith(PREFIX) || key.toString("base64") !== encoded) return false;
  return key.length >= MIN_KEY_BYTES && key.length <= MAX_KEY_BYTES;
};

/** Masks a secret for display. */
export const maskedSecret = (secret: string): string => (secret === "" ? "" : `${PREFIX}•••`);

/** Header fields by which a subscriber verifies the sender and the time of a body. */
export type SignatureHeaders = Readonly<Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string>>;

/**
 * Signs one attempt (Standard Webhooks 1.0): HMAC-SHA256 over `id.timestamp.body`.
 * @param id the same at every attempt
 * @param at time of the attempt; sent in whole seconds
 */
export const signed = (secret: string, id: string, body: string, at: Millis): SignatureHeaders => ({
  "webhook-id": id,
  "webhook-timestamp": String(Math.floor(at / SECOND)),
  "webhook-signature": new Webhook(secret).sign(id, new Date(at), body),
});
