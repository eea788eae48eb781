import { expect, test } from "vitest";
import { testMailbox, type TestMailbox } from "./mailbox.fixture.ts";

const EVIL = `"'><script>alert(1)</script><img src=x onerror=alert(1)>`;

/** The page's own script; any other script came from a mail. */
const OWN_SCRIPT = '<script src="/script.js" defer></script>';

async function hostile(world: TestMailbox): Promise<string> {
  await world.send({
    from: { name: EVIL, address: "evil@example.com" },
    to: { name: EVIL, address: "ada@example.com" },
    subject: EVIL,
    text: `${EVIL} javascript:alert(1) https://a.example/"onclick=alert(1)`,
    html: `<script>alert(1)</script>${EVIL}<a href="javascript:alert(1)">x</a>`,
    headers: { "X-Evil": EVIL },
    attachments: [
      { filename: `${EVIL}.svg`, content: "<svg onload='alert(1)'/>", contentType: "image/svg+xml" },
      { filename: "page.html", content: EVIL, contentType: "text/html" },
    ],
  });
  return world.box.mails()[0]?.id ?? "";
}

test("no page lets a mail's markup through", async () => {
  await using world = await testMailbox();
  const id = await hostile(world);
  const ways = ["html", "text", "headers", "source"].map((show) => `/mail/${id}?show=${show}`);
  for (const path of ["/", `/?to=${encodeURIComponent(EVIL)}&query=${encodeURIComponent(EVIL)}`, ...ways]) {
    const answer = await world.get(path);
    const page = await answer.text();
    expect(page.replace(OWN_SCRIPT, ""), path).not.toMatch(/<script|<img(?! src="\/api)|<svg/i);
    expect(page.replace(/="[^"]*"/g, ""), path).not.toMatch(/<[^>]* on\w+=/i);
    expect(page, path).not.toMatch(/href="javascript:/i);
    expect(answer.headers.get("content-security-policy"), path).toContain("script-src 'self'");
    expect(answer.headers.get("content-security-policy"), path).toContain("default-src 'none'");
    expect(answer.headers.get("x-content-type-options"), path).toBe("nosniff");
  }
});

test("a mail's own HTML has no rights, in its frame or by itself", async () => {
  await using world = await testMailbox();
  const id = await hostile(world);
  const frame = /<iframe[^>]*>/.exec(await (await world.get(`/mail/${id}`)).text())?.[0] ?? "";
  expect(frame).toContain('sandbox="allow-popups allow-popups-to-escape-sandbox"');
  const policy = (await world.get(`/view/${id}.html`)).headers.get("content-security-policy") ?? "";
  for (const rule of [
    "default-src 'none'",
    "img-src data:;",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'self'",
  ])
    expect(policy).toContain(rule);
  expect(policy).toMatch(/sandbox allow-popups allow-popups-to-escape-sandbox$/);
  expect(policy).not.toMatch(/script-src|allow-scripts|allow-same-origin/);
  const remote = (await world.get(`/view/${id}.html?remote=1`)).headers.get("content-security-policy");
  expect(remote).toContain("img-src data: https: http:;");
});

test("an attachment cannot become a page of ours", async () => {
  await using world = await testMailbox();
  const id = await hostile(world);
  const { Attachments } = await world.json(`/api/v1/message/${id}`);
  for (const { PartID } of Attachments) {
    const { headers } = await world.get(`/api/v1/message/${id}/part/${PartID}`);
    expect(headers.get("content-type")).toBe("application/octet-stream");
    expect(headers.get("content-disposition")).toMatch(/^attachment; filename\*=UTF-8''[\w.%~!-]+$/);
    expect(headers.get("content-security-policy")).toBe("sandbox; default-src 'none'");
  }
});

test("a mail's own pictures are shown, where their type is a picture's", async () => {
  await using world = await testMailbox();
  const attachments = [
    { cid: "good@x", content: "png", contentType: "image/png" },
    { cid: "bad@x", content: "html", contentType: "text/html" },
  ];
  await world.send({ html: '<img src="cid:good@x"><img src="cid:bad@x"><img src="cid:none@x">', attachments });
  const view = await (await world.get("/view/latest.html")).text();
  expect(view).toContain(`<img src="data:image/png;base64,${Buffer.from("png").toString("base64")}">`);
  expect(view).toContain('<img src="cid:bad@x"><img src="cid:none@x">');
});

test("a request under another host name is refused", async () => {
  await using world = await testMailbox();
  const { request } = await import("node:http");
  const status = await new Promise((resolve) =>
    request(`${world.box.page}/api/v1/messages`, { headers: { host: "evil.example" } }, (answer) =>
      resolve(answer.resume().statusCode),
    ).end(),
  );
  expect(status).toBe(403);
});

test("the list is filtered by recipient, and its stream too", async () => {
  await using world = await testMailbox();
  await world.send({ subject: "for ada" });
  await world.send({ subject: "for bob", to: "bob@example.com" });
  const page = await (await world.get("/?to=bob@example.com")).text();
  expect(page).toContain("for bob");
  expect(page).not.toContain("for ada");
  const live = /data-live="([^"]+)"/.exec(page)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const answer = await world.get(live);
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  await world.send({ subject: "second for ada" });
  await world.send({ subject: "second for bob", to: "bob@example.com" });
  let heard = "";
  while (!heard.includes("second for bob")) heard += (await reader.read()).value;
  expect(heard).toContain("event: row");
  expect(heard).not.toContain("for ada");
  await reader.cancel();
});

test("a page far behind is told to load anew", async () => {
  await using world = await testMailbox();
  await world.send({ subject: "first" });
  const first = world.box.mails()[0]?.id ?? "";
  for (let sent = 0; sent < 210; sent += 30)
    await Promise.all(Array.from({ length: 30 }, () => world.send({ subject: "one of many" })));
  const answer = await world.get(`/live?since=${first}`);
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let heard = "";
  while (!heard.includes("event: ")) heard += (await reader.read()).value;
  expect(heard).toContain(`id: ${world.box.mails().at(-1)?.id}\nevent: reload`);
  await reader.cancel();
});

test.each([
  ["nothing", ""],
  ["no headers", "\r\nonly text\r\n"],
  ["binary", String.fromCharCode(...Array.from({ length: 256 }, (_, at) => at)).replace(/[\r\n]/g, "")],
  [
    "an open multipart",
    'Subject: s\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: multipart/mixed; boundary="c"\r\n\r\n--c\r\n',
  ],
  ["a strange charset", "Subject: =?klingon?q?nuqneH?=\r\nContent-Type: text/plain; charset=klingon\r\n\r\nhi\r\n"],
])("a mail of %s is shown all the same", async (_, raw) => {
  await using world = await testMailbox();
  await world.send({ raw: Buffer.from(raw, "latin1"), envelope: { from: "a@example.com", to: "ada@example.com" } });
  for (const path of [
    "/",
    `/mail/${world.box.mails()[0]?.id}`,
    `/mail/${world.box.mails()[0]?.id}?show=source`,
    "/api/v1/message/latest",
    "/api/v1/message/latest/headers",
  ])
    expect((await world.get(path)).status, path).toBe(200);
});
