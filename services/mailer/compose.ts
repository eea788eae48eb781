import type { ConversationView, MessageView, NotificationEvent, Snapshot } from "../core/records.ts";
import { MINUTE, type Millis } from "../core/time.ts";
import { type Locality, localityOf } from "./locality.ts";
import { MAX_NAME, senderOf } from "./sender.ts";
import { line, lines } from "./tidy.ts";
import type { Run, ShownConversation, ShownMessage, View } from "./view.ts";
import { joinUrl, webUrl } from "./weburl.ts";

/** What is ours in a mail. */
export interface Setting {
  readonly productName: string;
  /** See joinUrl. */
  readonly joinUrl: string;
}

/** Gmail cuts a mail off after 102 kB of HTML: these limits together stay below, whatever the text is. */
const MAX_CONVERSATIONS = 10;
const MAX_MESSAGES = 40;
/** Messages that are shown of each of several conversations, however many there are. */
const MIN_MESSAGES = 3;
const MAX_ATTACHMENTS = 10;
/** In UTF-16 code units. */
const MAX_TEXT = 1_000;
const MAX_TEXT_LINES = 30;
const MAX_SUBJECT = 120;
const MAX_FILE_NAME = 100;
const MAX_PREVIEW = 140;
/** A sender's messages with a longer pause between them are shown apart. */
const RUN_GAP = 10 * MINUTE;

const SYSTEM = "SYSTEM";

/** The mail about a notification, as the templates see it. */
export const compose = (event: NotificationEvent, snapshot: Snapshot, setting: Setting): View => {
  const { recipient } = snapshot;
  const locality = localityOf(recipient.locale, recipient.timezone);
  const all = snapshot.conversations.filter(({ messages }) => messages.length > 0);
  const some = all.slice(0, MAX_CONVERSATIONS);
  const room = Math.max(MIN_MESSAGES, Math.floor(MAX_MESSAGES / Math.max(1, some.length)));
  const latest = some.map((conversation) => cut(conversation, room));
  const conversations = latest.map((one) => shown(one, event, locality, setting));
  const mentions = latest.flatMap((one) => one.messages.filter(mentioning).map((message) => ({ one, message })));
  const last = mentions.toSorted((a, b) => a.message.occurredAt - b.message.occurredAt).at(-1);
  const opening = last?.message ?? latest[0]?.messages.find(({ kind }) => kind !== SYSTEM);
  return {
    product: { name: setting.productName },
    ...{ lang: locality.lang, dir: locality.dir },
    recipient: {
      ...{ userId: recipient.userId, name: line(recipient.name, MAX_NAME) },
      ...{ locale: recipient.locale, timezone: recipient.timezone },
    },
    counts: {
      messages: all.reduce((sum, conversation) => sum + countOf(conversation), 0),
      conversations: all.length,
      mentions: mentions.length,
      conversationsOmitted: all.length - some.length,
    },
    mention: last === undefined ? null : { by: senderOf(last.message.sender).name, subject: subjectOf(last.one) },
    preview: opening === undefined ? "" : line(`${senderOf(opening.sender).name}: ${opening.text}`, MAX_PREVIEW),
    conversations,
  };
};

const mentioning = ({ mentioned, kind }: MessageView): boolean => mentioned && kind !== SYSTEM;

const countOf = ({ messages, omitted }: ConversationView): number =>
  omitted + messages.filter(({ kind }) => kind !== SYSTEM).length;

/** The latest messages, those before them counted as omitted. */
const cut = (conversation: ConversationView, room: number): ConversationView => {
  const messages = conversation.messages.slice(-room);
  return {
    ...conversation,
    messages,
    omitted: countOf(conversation) - countOf({ ...conversation, messages, omitted: 0 }),
  };
};

const subjectOf = ({ subject }: ConversationView): string | null => line(subject ?? "", MAX_SUBJECT) || null;

const shown = (
  conversation: ConversationView,
  event: NotificationEvent,
  locality: Locality,
  setting: Setting,
): ShownConversation => {
  const { conversationId, access, omitted } = conversation;
  const messages = conversation.messages.map((message) => shownMessage(message, event.occurredAt, locality));
  const people = messages.filter(({ kind }) => kind !== SYSTEM);
  return {
    ...{ conversationId, access, omitted, messages, count: countOf(conversation) },
    subject: subjectOf(conversation),
    photoUrl: webUrl(conversation.photoUrl),
    joinUrl: joinUrl(setting.joinUrl, conversationId, event.userId),
    senders: [...new Set(people.map(({ sender }) => sender.name))],
    runs: runsOf(conversation.messages, messages),
  };
};

const shownMessage = (message: MessageView, today: Millis, locality: Locality): ShownMessage => {
  const text = lines(message.text, MAX_TEXT, MAX_TEXT_LINES);
  return {
    kind: message.kind,
    sender: senderOf(message.sender),
    text: text.join("\n"),
    lines: text.length === 1 && text[0] === "" ? [] : text,
    attachments: message.attachments.slice(0, MAX_ATTACHMENTS).map(({ name, url, size }) => ({
      name: line(name, MAX_FILE_NAME) || "file",
      url: webUrl(url),
      size: locality.size(size),
    })),
    mentioned: message.mentioned,
    at: locality.time(message.occurredAt, today),
  };
};

const runsOf = (raw: readonly MessageView[], messages: readonly ShownMessage[]): readonly Run[] => {
  const runs: { kind: string; sender: Run["sender"]; at: string; mentioned: boolean; messages: ShownMessage[] }[] = [];
  messages.forEach((message, index) => {
    const run = runs.at(-1);
    if (run !== undefined && goesOn(raw[index - 1], raw[index])) {
      run.messages.push(message);
      run.mentioned ||= message.mentioned;
    } else runs.push({ ...message, messages: [message] });
  });
  return runs.map(({ kind, sender, at, mentioned, messages: of }) => ({ kind, sender, at, mentioned, messages: of }));
};

const goesOn = (before: MessageView | undefined, next: MessageView | undefined): boolean =>
  before !== undefined &&
  next !== undefined &&
  before.kind === next.kind &&
  before.sender?.userId === next.sender?.userId &&
  next.occurredAt - before.occurredAt <= RUN_GAP;
