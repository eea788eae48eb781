import { expect, test } from "vitest";
import { testMailbox, type TestMailbox } from "./mailbox.fixture.ts";

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

async function sendFull(world: TestMailbox): Promise<void> {
  await world.send({
    from: '"Grace via Chat" <notify@chat.example>',
    to: ["Ada <ada@example.com>", "bob@example.com"],
    cc: "cy@example.com",
    bcc: "dee@example.com",
    replyTo: "reply+token@in.chat.example",
    subject: "Ünïcode — 日本語",
    messageId: "<m1@chat.example>",
    date: new Date("2026-01-02T03:04:05Z"),
    text: "Hello\nAda",
    html: "<p>Hello <b>Ada</b> <img src='cid:logo'></p>",
    headers: {
      "List-Unsubscribe": "<https://chat.example/u/1>, <mailto:u@chat.example>",
      "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    },
    attachments: [
      { filename: "logo.png", content: Buffer.from("logo"), cid: "logo" },
      { filename: "plan ü.pdf", content: Buffer.from("plan") },
    ],
  });
}

test("a list has Mailpit's shape", async () => {
  await using world = await testMailbox();
  await sendFull(world);
  const list = await world.json("/api/v1/messages");
  expect(list).toEqual({
    total: 1,
    unread: 1,
    count: 1,
    messages_count: 1,
    messages_unread: 1,
    start: 0,
    tags: [],
    messages: [
      {
        ID: world.box.mails()[0]?.id,
        MessageID: "m1@chat.example",
        Read: false,
        From: { Name: "Grace via Chat", Address: "notify@chat.example" },
        To: [
          { Name: "Ada", Address: "ada@example.com" },
          { Name: "", Address: "bob@example.com" },
        ],
        Cc: [{ Name: "", Address: "cy@example.com" }],
        Bcc: [{ Name: "", Address: "dee@example.com" }],
        ReplyTo: [{ Name: "", Address: "reply+token@in.chat.example" }],
        Subject: "Ünïcode — 日本語",
        Created: expect.stringMatching(RFC_3339),
        Username: "",
        Tags: [],
        Size: world.box.mails()[0]?.size,
        Attachments: 1,
        Snippet: "Hello Ada",
      },
    ],
  });
});

test("a message has Mailpit's shape, and reading it marks it read", async () => {
  await using world = await testMailbox();
  await sendFull(world);
  const message = await world.json("/api/v1/message/latest");
  expect(message).toMatchObject({
    ID: world.box.mails()[0]?.id,
    MessageID: "m1@chat.example",
    ReturnPath: "notify@chat.example",
    Date: "2026-01-02T03:04:05.000Z",
    Text: expect.stringMatching(/^Hello\nAda\n?$/),
    HTML: "<p>Hello <b>Ada</b> <img src='cid:logo'></p>",
    ListUnsubscribe: {
      Header: "<https://chat.example/u/1>, <mailto:u@chat.example>",
      Links: ["https://chat.example/u/1", "mailto:u@chat.example"],
      Errors: "",
      HeaderPost: "List-Unsubscribe=One-Click",
    },
    Inline: [{ FileName: "logo.png", ContentID: "logo", ContentType: "image/png", Size: 4 }],
    Attachments: [
      {
        FileName: "plan ü.pdf",
        ContentType: "application/pdf",
        Size: 4,
        Checksums: { MD5: expect.stringMatching(/^[0-9a-f]{32}$/) },
      },
    ],
  });
  const list = await world.json("/api/v1/messages");
  expect([list.unread, list.messages[0].Read]).toEqual([0, true]);
});

test("headers, source and parts come as they were sent", async () => {
  await using world = await testMailbox();
  await sendFull(world);
  const id = world.box.mails()[0]?.id;
  const headers = await world.json(`/api/v1/message/${id}/headers`);
  expect(headers["Message-Id"]).toEqual(["<m1@chat.example>"]);
  expect(Object.keys(headers)).toEqual(Object.keys(headers).toSorted());

  const raw = await world.get(`/api/v1/message/${id}/raw`);
  expect(raw.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(await raw.text()).toBe((await world.box.raw(id ?? ""))?.toString());

  const { Attachments } = await world.json(`/api/v1/message/${id}`);
  const part = await world.get(`/api/v1/message/${id}/part/${Attachments[0].PartID}`);
  expect(await part.text()).toBe("plan");
  expect(part.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''plan%20%C3%BC.pdf");
});

test("lists are newest first, by pages", async () => {
  await using world = await testMailbox();
  for (const subject of ["1", "2", "3", "4"]) await world.send({ subject });
  const list = await world.json("/api/v1/messages?start=1&limit=2");
  expect([list.total, list.count, list.start]).toEqual([4, 2, 1]);
  expect(list.messages.map(({ Subject }: { Subject: string }) => Subject)).toEqual(["3", "2"]);
});

test.each([
  ["to:ada@example.com", ["lunch", "hello ada"]],
  ["to:ada@example.com subject:lunch", ["lunch"]],
  ["to:hidden@example.com", ["lunch"]],
  ["from:grace", ["lunch"]],
  ["from:GRACE@example.com", ["lunch"]],
  ["-from:grace", ["to bob", "hello ada"]],
  ['"salted fish"', ["to bob"]],
  ["fish salted", ["to bob"]],
  ["fishes", []],
  ["has:attachment", ["to bob"]],
  ["is:unread", ["to bob", "lunch", "hello ada"]],
  ["message-id:bob-1@chat.example", ["to bob"]],
])("searching for %s", async (query, subjects) => {
  await using world = await testMailbox();
  await world.send({ subject: "hello ada", text: "nothing" });
  await world.send({ subject: "lunch", from: "Grace <grace@example.com>", bcc: "hidden@example.com" });
  const attachments = [{ filename: "f.bin", content: "f" }];
  await world.send({
    subject: "to bob",
    to: "bob@example.com",
    text: "Salted  FISH",
    messageId: "<bob-1@chat.example>",
    attachments,
  });
  const found = await world.json(`/api/v1/search?query=${encodeURIComponent(query)}`);
  expect(found.messages.map(({ Subject }: { Subject: string }) => Subject)).toEqual(subjects);
  expect([found.messages_count, found.total]).toEqual([subjects.length, 3]);
});

test("mails are deleted by their IDs, all of them without IDs, and none by an invalid body", async () => {
  await using world = await testMailbox();
  for (const subject of ["1", "2", "3"]) await world.send({ subject });
  const remove = async (body?: string): Promise<number> =>
    (
      await world.get("/api/v1/messages", {
        method: "DELETE",
        ...(body !== undefined && { body, headers: { "content-type": "application/json" } }),
      })
    ).status;
  expect([await remove("{oops"), await remove('{"IDs":7}'), world.box.mails().length]).toEqual([400, 400, 3]);
  expect([await remove(JSON.stringify({ IDs: [world.box.mails()[1]?.id] })), world.box.mails().length]).toEqual([
    200, 2,
  ]);
  expect([await remove(), world.box.mails().length]).toEqual([200, 0]);
});

test("a missing mail is a 404, and a search needs a query", async () => {
  await using world = await testMailbox();
  const paths = [
    "/api/v1/message/latest",
    "/api/v1/message/nope",
    "/api/v1/message/nope/raw",
    "/view/nope.html",
    "/mail/nope",
    "/mail/..%2F..%2Fetc",
  ];
  for (const path of paths) expect((await world.get(path)).status, path).toBe(404);
  expect((await world.get("/api/v1/search")).status).toBe(400);
});

test("the stream tells each new mail once, also those that came while its reader was away", async () => {
  await using world = await testMailbox();
  await world.send({ subject: "before" });
  const first = world.box.mails()[0]?.id ?? "";
  await world.send({ subject: "meanwhile" });
  const stop = new AbortController();
  const answer = await world.get("/api/events", { headers: { "last-event-id": first }, signal: stop.signal });
  expect(answer.headers.get("content-type")).toContain("text/event-stream");
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let heard = "";
  const hear = async (word: string): Promise<void> => {
    while (!heard.includes(word)) heard += (await reader.read()).value;
  };
  await hear("meanwhile");
  await world.send({ subject: "afterwards" });
  await hear("afterwards");
  stop.abort();
  const subjects = [...heard.matchAll(/event: new\ndata: (.*)/g)].map(([, data]) => JSON.parse(data!).Subject);
  expect(subjects).toEqual(["meanwhile", "afterwards"]);
});

test("a mailbox with open streams stops at once", async () => {
  const world = await testMailbox();
  const answer = await world.get("/live");
  await world[Symbol.asyncDispose]();
  await expect(answer.text()).rejects.toThrow();
});
