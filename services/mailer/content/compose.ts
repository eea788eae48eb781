import type { ConversationView, MessageView, NotificationEvent, Snapshot } from "../../domain/records.ts";
import { MINUTE } from "../../platform/contract/time.ts";
import { conversationCost, fitting, MAIL_BUDGET } from "./fit.ts";
import { localityOf } from "./locality.ts";
import { MAX_NAME, senderOf } from "./sender.ts";
import { line, lines } from "./tidy.ts";
import type { Run, ShownConversation, ShownMessage, View } from "./view.ts";
import { joinUrl, webUrl } from "./weburl.ts";

/** The chat product's name and URL, as a mail shows them. */
export interface Branding {
  readonly productName: string;
  /** URL template of a conversation: see `joinUrl`. */
  readonly joinUrl: string;
}

const MAX_CONVERSATIONS = 10;
/** Attachments of one message that are shown; the rest are counted. */
const MAX_ATTACHMENTS = 8;
const MAX_TEXT_LINES = 30;
/** Limits of a message's text and the texts below, in UTF-16 code units. */
const MAX_TEXT = 1_000;
const MAX_SUBJECT = 120;
const MAX_FILE_NAME = 100;
const MAX_PREVIEW = 140;
/** Longest pause between messages of one run; after a longer pause a new run begins. */
const RUN_GAP = 10 * MINUTE;

const SYSTEM = "SYSTEM";

/** A message of the snapshot, and the same message as it is shown. */
interface Pair {
  readonly raw: MessageView;
  readonly message: ShownMessage;
}

type Show = (raw: MessageView) => ShownMessage;

/** Composes the mail about a notification: the variables of its templates. */
export const compose = (event: NotificationEvent, snapshot: Snapshot, branding: Branding): View => {
  const { recipient } = snapshot;
  const { lang, dir, time, size } = localityOf(recipient.locale, recipient.timezone);
  const show: Show = (raw) => shownMessage(raw, time(raw.occurredAt, event.occurredAt), size);
  const all = snapshot.conversations.filter(({ messages }) => messages.length > 0);
  const conversations = fill(all.slice(0, MAX_CONVERSATIONS), show, (id) =>
    joinUrl(branding.joinUrl, id, event.userId),
  );
  const mention = latestMention(snapshot);
  const opening = mention?.message ?? all[0]?.messages.find(({ kind }) => kind !== SYSTEM);
  return {
    product: { name: branding.productName },
    lang,
    dir,
    conversations,
    recipient: {
      userId: recipient.userId,
      name: line(recipient.name, MAX_NAME),
      locale: recipient.locale,
      timezone: recipient.timezone,
    },
    counts: {
      messages: all.reduce((sum, conversation) => sum + countOf(conversation), 0),
      conversations: all.length,
      mentions: all.reduce((sum, { messages }) => sum + messages.filter(isMention).length, 0),
      conversationsOmitted: all.length - conversations.length,
    },
    mention: mention && { by: senderOf(mention.message.sender).name, subject: subjectOf(mention.conversation) },
    preview: opening === undefined ? "" : line(`${senderOf(opening.sender).name}: ${opening.text}`, MAX_PREVIEW),
  };
};

const isMention = ({ mentioned, kind }: MessageView): boolean => mentioned && kind !== SYSTEM;

const latestMention = ({ conversations }: Snapshot) =>
  conversations
    .flatMap((conversation) => conversation.messages.filter(isMention).map((message) => ({ conversation, message })))
    .toSorted((a, b) => a.message.occurredAt - b.message.occurredAt)
    .at(-1) ?? null;

const countOf = ({ messages, omitted }: Pick<ConversationView, "messages" | "omitted">): number =>
  omitted + messages.filter(({ kind }) => kind !== SYSTEM).length;

const subjectOf = ({ subject }: ConversationView): string | null => line(subject ?? "", MAX_SUBJECT) || null;

/**
 * Fills the mail's budget. Each conversation gets an equal share of the rest and leaves unused room to the next. A
 * conversation shows at least its last message, if need be without attachments, or is left out where even that is too long.
 */
const fill = (
  conversations: readonly ConversationView[],
  show: Show,
  join: (conversationId: string) => string,
): readonly ShownConversation[] => {
  let room = MAIL_BUDGET;
  return conversations.flatMap((conversation, index) => {
    const pairs = conversation.messages.map((raw): Pair => ({ raw, message: show(raw) }));
    const url = join(conversation.conversationId);
    const frame = conversationCost(shownConversation(conversation, pairs, url));
    const share = room / (conversations.length - index) - frame;
    const choices = [
      [pairs, share],
      [pairs.slice(-1), room - frame],
      [pairs.slice(-1).map(bare), room - frame],
    ] as const;
    for (const [candidates, budget] of choices) {
      const { count, cost } = fitting(
        candidates.map(({ message }) => message),
        budget,
      );
      if (count === 0) continue;
      room -= frame + cost;
      return [shownConversation(conversation, candidates.slice(-count), url)];
    }
    return [];
  });
};

const bare = ({ raw, message }: Pair): Pair => ({
  raw,
  message: { ...message, attachments: [], attachmentsOmitted: raw.attachments.length },
});

const shownConversation = (conversation: ConversationView, pairs: readonly Pair[], url: string): ShownConversation => {
  const { conversationId, access } = conversation;
  const messages = pairs.map(({ message }) => message);
  const people = messages.filter(({ kind }) => kind !== SYSTEM);
  const count = countOf(conversation);
  return {
    conversationId,
    access,
    messages,
    count,
    omitted: count - people.length,
    subject: subjectOf(conversation),
    photoUrl: webUrl(conversation.photoUrl),
    joinUrl: url,
    senders: [...new Set(people.map(({ sender }) => sender.name))],
    runs: runsOf(pairs),
  };
};

const shownMessage = (raw: MessageView, at: string, size: (bytes: number) => string): ShownMessage => {
  const text = lines(raw.text, MAX_TEXT, MAX_TEXT_LINES);
  return {
    kind: raw.kind,
    mentioned: raw.mentioned,
    at,
    sender: senderOf(raw.sender),
    text: text.join("\n"),
    lines: text.length === 1 && text[0] === "" ? [] : text,
    attachments: raw.attachments.slice(0, MAX_ATTACHMENTS).map((attachment) => ({
      name: line(attachment.name, MAX_FILE_NAME) || "file",
      url: webUrl(attachment.url),
      size: size(attachment.size),
    })),
    attachmentsOmitted: Math.max(0, raw.attachments.length - MAX_ATTACHMENTS),
  };
};

const runsOf = (pairs: readonly Pair[]): readonly Run[] => {
  const runs: Pair[][] = [];
  for (const pair of pairs) {
    const run = runs.at(-1);
    if (continues(run?.at(-1)?.raw, pair.raw)) run?.push(pair);
    else runs.push([pair]);
  }
  return runs.flatMap((run) => {
    const [first] = run;
    if (first === undefined) return [];
    const { kind, sender, at } = first.message;
    return {
      kind,
      sender,
      at,
      mentioned: run.some(({ raw }) => isMention(raw)),
      messages: run.map(({ message }) => message),
    };
  });
};

const continues = (before: MessageView | undefined, next: MessageView): boolean =>
  before?.kind === next.kind &&
  before.sender?.userId === next.sender?.userId &&
  next.occurredAt - before.occurredAt <= RUN_GAP;
