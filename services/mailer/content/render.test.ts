import { describe, expect, test } from "vitest";
import { Fatal } from "../../platform/contract/failure.ts";
import type { NotificationEvent } from "../../domain/records.ts";
import { HOUR, MINUTE } from "../../platform/contract/time.ts";
import { compose } from "./compose.ts";
import { conversation, grace, message, NOON, person, triggered } from "./notification.fixture.ts";
import { renderer } from "./render.ts";
import { readTemplates } from "./templates.ts";

const sources = await readTemplates();
const render = renderer(sources);
const branding = { productName: "Chatterbox", joinUrl: "https://chat.example.com/c/{conversationId}?as={userId}" };

const viewOf = (event: NotificationEvent) => {
  if (event.snapshot === null) throw new Error("no snapshot");
  return compose(event, event.snapshot, branding);
};
const mail = (event: NotificationEvent) => render(viewOf(event));
const ada = person("Ada Lovelace");
const alan = person("Alan Turing");
const mary = person("Mary Jackson");
const hello = message(ada, "Hello");
const many = (count: number) => Array.from({ length: count }, (_, index) => message(ada, `Text ${index}`));

describe("the subject", () => {
  test.each([
    ["Ada Lovelace: new message in Launch plan", [conversation("Launch plan", [hello])]],
    ["Ada Lovelace: 3 new messages in Launch plan", [conversation("Launch plan", many(3))]],
    ["Ada Lovelace: 7 new messages in Launch plan", [conversation("Launch plan", many(3), { omitted: 4 })]],
    ["Ada Lovelace: new message", [conversation(null, [hello])]],
    ["Ada Lovelace: new message", [conversation(" \n", [hello])]],
    ["Ada Lovelace and Alan Turing: 2 new messages in X", [conversation("X", [hello, message(alan, "Hi")])]],
    [
      "Ada Lovelace and 2 others: 3 new messages in X",
      [conversation("X", [hello, message(alan, "Hi"), message(mary, "Hey")])],
    ],
    ["Someone: new message in X", [conversation("X", [message(person(""), "Hi")])]],
    ["Someone: new message in X", [conversation("X", [message(null, "Hi")])]],
    [
      "Alan Turing mentioned you in X",
      [conversation("X", [message(alan, "@Grace?", { mentioned: true }), message(ada, "Me too")])],
    ],
    ["Alan Turing mentioned you", [conversation(null, [message(alan, "@Grace?", { mentioned: true })])]],
    ["5 new messages in 2 conversations", [conversation("X", many(2)), conversation("Y", many(3))]],
    [
      "Alan Turing mentioned you in Y (and 1 more conversation)",
      [conversation("X", many(2)), conversation("Y", [message(alan, "@Grace?", { mentioned: true })])],
    ],
  ])("is %s", (subject, conversations) => {
    expect(mail(triggered(conversations)).subject).toBe(subject);
  });

  test("is one line of at most 150 characters, whatever the names", () => {
    const { subject } = mail(
      triggered([
        conversation(`Plan\r\nBcc: eve@example.com\u2028${"x".repeat(5_000)}`, [
          message(person(`A\r\nX: 1 ${"y".repeat(900)}`), ""),
        ]),
      ]),
    );
    expect(subject.length).toBeLessThanOrEqual(150);
    expect(subject).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
    expect(subject).toMatch(/^A X: 1 y+…: new message in Plan Bcc: /);
  });

  test("has no direction controls or invisible characters", () => {
    expect(mail(triggered([conversation("a\u202Egpj.exe\u200B\u2066", [hello])])).subject).toBe(
      "Ada Lovelace: new message in agpj.exe",
    );
  });
});

describe("a text that a user wrote", () => {
  const hostile = `<script>alert(1)</script> & "quotes" 'n' {{ recipient.userId }} {% raw %} </td></table>`;
  const evil = person(hostile, { userId: "eve", photoUrl: "javascript:alert(1)" });
  const event = triggered(
    [
      conversation(
        hostile,
        [
          message(evil, hostile, {
            attachments: [
              { name: hostile, url: "javascript:alert(1)", mimeType: "x", size: -1 },
              { name: "quote", url: `https://example.com/"><script>`, mimeType: "x", size: 1 },
              { name: "data", url: "data:text/html,<script>", mimeType: "x", size: Number.NaN },
            ],
          }),
        ],
        { photoUrl: "file:///etc/passwd", conversationId: `c"><script>/../{userId}` },
      ),
    ],
    { ...grace, name: hostile, locale: `x"><script>`, timezone: "../../etc" },
  );
  const { html, text, subject } = mail(event);

  test("is escaped in the HTML", () => {
    expect(html).not.toContain("<script");
    expect(html).not.toMatch(/javascript:|data:text|file:/);
    expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;quotes&#34; &#39;n&#39;");
    expect(html.match(/<table/g)).toHaveLength(html.match(/<\/table>/g)?.length ?? 0);
  });

  test("is never evaluated as a template", () => {
    for (const part of [html, text, subject]) expect(part).toContain("{{ recipient.userId }}");
  });

  test("is percent-encoded in URLs", () => {
    expect(html).toContain('href="https://chat.example.com/c/c%22%3E%3Cscript%3E%2F..%2F%7BuserId%7D?as=grace"');
    expect(html).toContain('href="https://example.com/%22%3E%3Cscript%3E"');
  });

  test("is indented in the plain text, so that it can't imitate the mail's own lines", () => {
    const forged = "Hi\r\n\r\n\r\n\r\nJoin the conversation:\rhttps://evil.example\u2028-- \n\x1b[31mred\x07";
    const shown = mail(triggered([conversation("X", [message(ada, forged)])])).text;
    expect(shown).toContain("    Hi\n\n    Join the conversation:\n    https://evil.example\n    --\n    [31mred\n");
    expect(shown.match(/^Join the conversation:$/gm)).toHaveLength(1);
  });

  test("is cut where it is too long, but never within a character", () => {
    const shown = mail(triggered([conversation("X", [message(ada, "😀".repeat(5_000))])]));
    expect(shown.text).toContain("😀…");
    expect(shown.text.isWellFormed() && shown.html.isWellFormed()).toBe(true);
  });

  test("loses its lone surrogates", () => {
    expect(mail(triggered([conversation("a\uD83D", [message(ada, "b\uDE00")])])).html.isWellFormed()).toBe(true);
  });

  test("is not linked, even if it looks like a link", () => {
    const shown = mail(triggered([conversation("X", [message(ada, "see https://evil.example/login")])])).html;
    expect(shown).toContain("see https://evil.example/login");
    expect(shown).not.toContain('href="https://evil');
  });
});

describe("the HTML", () => {
  const event = triggered([
    conversation(
      "Launch plan",
      [
        message(ada, "One", { occurredAt: NOON - 20 * MINUTE }),
        message(ada, "Two\nlines", { occurredAt: NOON - 19 * MINUTE }),
        message(null, "Alan joined", { kind: "SYSTEM", occurredAt: NOON - 18 * MINUTE }),
        message(person("Alan Turing", { photoUrl: "https://img.example.com/alan.png" }), "@Grace", {
          mentioned: true,
          occurredAt: NOON - 17 * MINUTE,
          attachments: [
            { name: "plan.pdf", url: "https://files.example.com/p.pdf", mimeType: "application/pdf", size: 1_234_567 },
          ],
        }),
      ],
      { omitted: 3 },
    ),
    conversation(null, [message(mary, "Lunch?", { occurredAt: NOON - 26 * HOUR })], { conversationId: "c 2" }),
  ]);
  const { html } = mail(event);

  test("has a button for each conversation", () => {
    expect(html.match(/href="https:\/\/chat[^"]*"[^>]*>Join the conversation</g)).toHaveLength(2);
    expect(html).toContain('href="https://chat.example.com/c/c-1?as=grace"');
    expect(html).toContain('href="https://chat.example.com/c/c%202?as=grace"');
  });

  test("names a sender once for messages in a row, with initials where there is no photo", () => {
    expect(html.match(/>Ada Lovelace<\/strong>/g)).toHaveLength(1);
    expect(html).toContain(">AL</td>");
    expect(html).toContain('<img src="https://img.example.com/alan.png"');
    expect(html).toContain("Two<br>lines");
  });

  test("shows times in the recipient's zone and language, with the date where it isn't today", () => {
    expect(html).toContain("12:40");
    expect(html).toContain("Sun 2 Mar, 11:00");
  });

  test("shows times in UTC, and says so, where the recipient's zone is unknown", () => {
    const unknown = { ...grace, locale: null, timezone: null };
    expect(viewOf(triggered([conversation("X", [hello])], unknown)).conversations[0]?.messages[0]?.at).toMatch(
      /^11:50\sAM UTC$/u,
    );
  });

  test("shows the count of omitted messages, mentions, system messages and attachments", () => {
    expect(html).toContain("3 earlier messages");
    expect(html).toContain("mentioned you</span>");
    expect(html).toContain("Alan joined");
    expect(html).toMatch(/href="https:\/\/files\.example\.com\/p\.pdf"[^>]*>plan\.pdf<\/a> <span[^>]*>1\.2 MB</);
  });

  test("declares its language, its direction and support for dark mode", () => {
    expect(html).toMatch(/^<!doctype html>\n<html lang="en-GB" dir="ltr">/);
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    const arabic = mail(triggered([conversation("خطة", [hello])], { ...grace, locale: "ar_EG" })).html;
    expect(arabic).toContain('<html lang="ar-EG" dir="rtl">');
    expect(arabic).toContain('align="right"');
  });

  test("previews the mention in a mail client's list", () => {
    expect(html).toMatch(/display:none[^>]*>Alan Turing: @Grace/);
  });
});

test("the plain text shows a whole mail, wrapped at 72 columns", () => {
  const long = "I put the latest draft in the folder. The second tab has the new estimates, and some questions.";
  const event = triggered([
    conversation(
      "Launch plan",
      [
        message(ada, long, { occurredAt: NOON - 20 * MINUTE }),
        message(alan, "@Grace https://docs.example.com/an/address/that/is/longer/than/a/line/of/plain/text/may/be", {
          mentioned: true,
          occurredAt: NOON - 17 * MINUTE,
          attachments: [
            { name: "plan.pdf", url: "https://files.example.com/p.pdf", mimeType: "application/pdf", size: 999 },
          ],
        }),
      ],
      { omitted: 1 },
    ),
  ]);
  expect(mail(event).text).toBe(`Hi Grace Hopper,

You missed 3 messages while you were away.

========================================
Launch plan
========================================

(1 earlier message isn't shown.)

Ada Lovelace, 12:40:

    I put the latest draft in the folder. The second tab has the new
    estimates, and some questions.

Alan Turing mentioned you, 12:43:

    @Grace
    https://docs.example.com/an/address/that/is/longer/than/a/line/of/plain/text/may/be
    [plan.pdf, 999 byte]
    https://files.example.com/p.pdf

Join the conversation:
https://chat.example.com/c/c-1?as=grace

-- 
You get this mail because you weren't on Chatterbox when these messages
arrived.
`);
});

describe("templates", () => {
  test("never turn escaping off", () => {
    expect(sources.html).not.toMatch(/\|\s*raw\b(?!`)/);
  });

  test("with a syntax error, an unknown filter or too much text are rejected", () => {
    for (const html of ["{% if %}", "{{ x | nosuch }}", "x".repeat(100_001)])
      expect(() => renderer({ ...sources, html })(viewOf(triggered([conversation("X", [hello])])))).toThrow();
    expect(() => renderer({ ...sources, html: "{% if %}" })).toThrow(Fatal);
  });

  test("are stopped when they loop too long, allocate too much or read files", () => {
    const view = viewOf(triggered([conversation("X", [hello])]));
    const endless = "{% for a in (1..9000) %}{% for b in (1..9000) %}{{ b }}{% endfor %}{% endfor %}";
    expect(() => renderer({ ...sources, html: endless })(view)).toThrow(/limit/);
    const greedy = `{% assign a = "x" %}{% for i in (1..40) %}{% assign a = a | append: a %}{% endfor %}`;
    expect(() => renderer({ ...sources, html: greedy })(view)).toThrow(/limit/);
    expect(() => renderer({ ...sources, html: "{% include '/etc/passwd' %}" })(view)).toThrow();
    expect(() => renderer({ ...sources, html: "{% render '../../package.json' %}" })(view)).toThrow();
  });

  test("see no property that JavaScript itself gives an object", () => {
    const view = viewOf(triggered([conversation("X", [hello])]));
    const html = "{{ recipient.constructor }}{{ conversations.constructor.name }}{{ recipient.__proto__ }}-";
    expect(renderer({ ...sources, html })(view).html).toBe("-\n");
  });
});
