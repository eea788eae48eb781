import { DAY, type Millis } from "../platform/contract/time.ts";
import { type Inbox, type Thread, unsave } from "./state.ts";

/**
 * A thread without missed messages is forgotten this long after its latest change, unless a cooldown still counts it.
 */
export const THREAD_RETENTION: Millis = 30 * DAY;

/**
 * The time at which a thread without missed messages may be forgotten: an end of a day (UTC), so that one timer serves
 * all threads of that day. A thread that a cooldown may still count is checked ever less often as its notification ages.
 */
export const forgottenAt = ({ touchedAt, toldAt, readAt }: Thread): Millis => {
  const told = toldAt.at(-1) ?? -Infinity;
  const kept = told >= (readAt ?? 0) ? Math.max(THREAD_RETENTION, touchedAt - told) : THREAD_RETENTION;
  return Math.ceil((touchedAt + kept) / DAY) * DAY;
};

/** Forgets the threads whose `forgottenAt` has come, unless a cooldown still counts them. */
export const forget = (inbox: Inbox, now: Millis): void => {
  if (inbox.forgetAt === null || inbox.forgetAt > now) return;
  let next: Millis | null = null;
  for (const thread of inbox.threads.values()) {
    if (thread.missed.length > 0) continue;
    let at = forgottenAt(thread);
    if (at <= now) {
      unsave(inbox, thread);
      if (isCoolingDown(thread, inbox)) {
        thread.touchedAt = now;
        at = forgottenAt(thread);
      } else {
        inbox.threads.delete(thread.conversationId);
        continue;
      }
    }
    if (next === null || at < next) next = at;
  }
  inbox.forgetAt = next;
};

/** Tells whether earlier notifications lengthen the next cooldown: the user has not been back since one of them. */
const isCoolingDown = ({ toldAt, readAt }: Thread, { signAt }: Inbox): boolean =>
  toldAt.some((told) => told >= (signAt ?? -Infinity) && told >= (readAt ?? -Infinity));
