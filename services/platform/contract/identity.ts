// oxlint-disable-next-line house/imports -- a pure function of its arguments
import { hash } from "node:crypto";
import { Poison } from "./failure.ts";

/**
 * Longest id that is taken from a record's key or field, in UTF-16 code units: it becomes a database key, two of which,
 * three bytes a unit, must be below the 2,704 bytes that an entry of a PostgreSQL index may have.
 */
export const MAX_ID_LENGTH = 400;

/**
 * Text that can be a database key: not empty, not longer than MAX_ID_LENGTH, without NUL (PostgreSQL can't hold it).
 * Throws Poison. @param what names the field
 */
export const checkId = (id: string, what: string): string => {
  if (id === "") throw new Poison(`${what} is empty`);
  if (id.length > MAX_ID_LENGTH)
    throw new Poison(`${what} is ${id.length} characters long; ${MAX_ID_LENGTH} are taken`);
  if (id.includes("\u0000")) throw new Poison(`${what} contains a NUL character`);
  return id;
};

/**
 * A UUID of version 8 (RFC 9562, section 5.8): SHA-256 over the parts, each with its length before it, so that
 * ("ab", "c") and ("a", "bc") differ.
 */
export const derivedId = (...parts: readonly (string | number)[]): string => {
  const hex = hash("sha256", parts.map((part) => `${String(part).length}:${part}`).join(""));
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};
