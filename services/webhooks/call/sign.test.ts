import { Webhook } from "standardwebhooks";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isSecret, maskedSecret, newSecret, signed } from "./sign.ts";

test("a new secret is whsec_ and 32 random bytes in base64", () => {
  const secret = newSecret();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(isSecret(secret)).toBe(true);
  expect(newSecret()).not.toBe(secret);
});

test("a subscriber verifies the signature of any body", () => {
  const secret = newSecret();
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }).map((text) => JSON.stringify({ text })),
      (body) => {
        expect(new Webhook(secret).verify(body, { ...signed(secret, "event-1", body, Date.now()) })).toEqual(
          JSON.parse(body),
        );
      },
    ),
  );
});

test("the headers are the id, the seconds of the attempt and a v1 signature", () => {
  const headers = signed(newSecret(), "event-1", "{}", 1_700_000_000_999);
  expect(headers).toEqual({
    "webhook-id": "event-1",
    "webhook-timestamp": "1700000000",
    "webhook-signature": expect.stringMatching(/^v1,.{44}$/),
  });
});

test("the signature of the Standard Webhooks example is the one it publishes", () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const headers = signed(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", '{"test": 2432232314}', 1_614_265_330_000);
  expect(headers["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});

test("a signature doesn't verify another secret, id, time or body", () => {
  const secret = newSecret();
  const headers = { ...signed(secret, "event-1", "{}", Date.now()) };
  const verify = (by: string, body: string, fields: Record<string, string>) => () =>
    new Webhook(by).verify(body, fields);
  expect(verify(newSecret(), "{}", headers)).toThrow("No matching signature");
  expect(verify(secret, "{ }", headers)).toThrow("No matching signature");
  expect(verify(secret, "{}", { ...headers, "webhook-id": "event-2" })).toThrow("No matching signature");
  expect(verify(secret, "{}", { ...signed(secret, "event-1", "{}", Date.now() - 360_000) })).toThrow("too old");
});

test.each([
  "",
  "whsec_",
  "whsec_c2hvcnQ=",
  "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  `whsec_${"A".repeat(88)}`,
  "whsec_MfKQ 9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
])("isSecret rejects %j", (text) => expect(isSecret(text)).toBe(false));

test("a masked secret shows nothing of the secret", () => {
  expect(maskedSecret(newSecret())).toBe("whsec_•••");
});
