import { describe, expect, test } from "vitest";
import { Fatal } from "../platform/contract/failure.ts";
import { masked, parse } from "../platform/app/config.ts";
import { variables } from "./config.ts";
import { smtpOf } from "./smtp/url.ts";

const good = {
  SMTP_URL: "smtps://user:p%40ss@smtp.example.com",
  MAIL_FROM: "Chat <chat@example.com>",
  JOIN_URL: "https://chat.example.com/c/{conversationId}?as={userId}",
};
const parsedWith = (name: string, value: string) => parse(variables, { ...good, [name]: value });

describe("the configuration", () => {
  test("needs only the mail server, the sender and the URL of the chat", () => {
    expect(parse(variables, good)).toEqual({
      ...good,
      MAIL_FROM: { name: "Chat", address: "chat@example.com" },
      MAIL_DOMAIN: undefined,
      PRODUCT_NAME: "Whileaway",
      MAIL_CONCURRENCY: 5,
    });
  });

  test.each([
    ["chat@example.com", "", "chat@example.com"],
    ["<chat@example.com>", "", "chat@example.com"],
    ['"Chat, Inc." <chat@example.com>', "Chat, Inc.", "chat@example.com"],
    ["Das Büro <büro@example.com>", "Das Büro", "büro@example.com"],
  ])("accepts the sender %s", (mailFrom, name, address) => {
    expect(parsedWith("MAIL_FROM", mailFrom).MAIL_FROM).toEqual({ name, address });
  });

  test.each([
    ["MAIL_FROM", "Chat", "is not of the form Name <address>"],
    ["MAIL_FROM", "Chat <chat>", "is not of the form"],
    ["MAIL_FROM", "Chat <a@example.com>, <b@example.com>", "is not of the form"],
    ["MAIL_FROM", "Chat\r\nBcc: eve@example.com <a@example.com>", "is not of the form"],
    ["MAIL_FROM", "chat@1.2.3.999", "is not of the form"],
    ["MAIL_DOMAIN", "exa mple.com", "is not a domain name"],
    ["MAIL_DOMAIN", "example.com>", "is not a domain name"],
    ["JOIN_URL", "https://chat.example.com/", "has no {conversationId}"],
    ["JOIN_URL", "https://{conversationId}.example.com/", "has a placeholder in its host"],
    ["JOIN_URL", "https://chat.example.com/{conversationId}/{messageId}", "has a placeholder other than"],
    ["JOIN_URL", "javascript:alert({conversationId})", "is not a URL that begins with"],
    ["MAIL_CONCURRENCY", "0", "is less than 1"],
    ["SMTP_URL", "smtp.example.com", "is not a URL"],
    ["SMTP_URL", "https://smtp.example.com", "does not begin with smtp:// or smtps://"],
    ["SMTP_URL", "smtp://user@smtp.example.com", "has a user without a password"],
    ["SMTP_URL", "smtp://user:50%@smtp.example.com", "has a % in its credentials"],
    ["SMTP_URL", "smtp://smtp.example.com?pool=false", "has the unknown parameter pool"],
    ["SMTP_URL", "smtp://smtp.example.com?requireTLS=yes", "says neither true nor false for requireTLS"],
  ])("rejects %s=%s", (name, value, problem) => {
    expect(() => parsedWith(name, value)).toThrow(Fatal);
    expect(() => parsedWith(name, value)).toThrow(problem);
  });

  test("is printed and rejected without showing the password of the mail server", () => {
    expect(JSON.stringify(masked(variables, parse(variables, good)))).not.toMatch(/p%40ss|p@ss/);
    expect(() => parsedWith("SMTP_URL", "smpt://user:hunter2@smtp.example.com")).toThrow(/^(?!.*hunter2)/s);
  });
});

describe("the SMTP_URL", () => {
  test("gives host, port, TLS, EHLO name and credentials", () => {
    expect(smtpOf(good.SMTP_URL)).toEqual({
      host: "smtp.example.com",
      port: 465,
      secure: true,
      requireTLS: false,
      ignoreTLS: false,
      verified: true,
      name: null,
      auth: { user: "user", pass: "p@ss" },
    });
    expect(smtpOf("smtp://[::1]:2525/?name=mx.example.com&tls.rejectUnauthorized=false&ignoreTLS=true")).toEqual({
      host: "::1",
      port: 2525,
      secure: false,
      requireTLS: false,
      ignoreTLS: true,
      verified: false,
      name: "mx.example.com",
      auth: null,
    });
  });

  test.each([
    ["smtp://user:pass@smtp.example.com", true],
    ["smtp://user:pass@localhost", false],
    ["smtp://user:pass@smtp.example.com?requireTLS=false", false],
    ["smtp://user:pass@smtp.example.com?ignoreTLS=true", false],
    ["smtp://smtp.example.com", false],
    ["smtp://smtp.example.com?requireTLS=true", true],
  ])("%s requires TLS: %s", (url, isRequired) => expect(smtpOf(url).requireTLS).toBe(isRequired));
});
