import { DAY, type Millis } from "../platform/contract/time.ts";
import { type Inbox, type Thread, unsave } from "./state.ts";

/** A thread in which nothing is missed is forgotten so long after the last word of it, if it counts for no cooldown. */
export const THREAD_RETENTION: Millis = 30 * DAY;

/**
 * When a thread in which nothing is missed may be forgotten: at the end of a day (UTC), so that all of a day's are looked
 * at together. Who may still count it for a cooldown is looked at again the more seldom, the longer ago that was.
 */
export const forgottenAt = ({ touchedAt, toldAt, readAt }: Thread): Millis => {
  const told = toldAt.at(-1) ?? -Infinity;
  const kept = told >= (readAt ?? 0) ? Math.max(THREAD_RETENTION, touchedAt - told) : THREAD_RETENTION;
  return Math.ceil((touchedAt + kept) / DAY) * DAY;
};

/** Forgets the threads whose time has come. */
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

/** Whether the next notification about it waits the longer for those before: the user has not been back since. */
const isCoolingDown = ({ toldAt, readAt }: Thread, { signAt }: Inbox): boolean =>
  toldAt.some((told) => told >= (signAt ?? -Infinity) && told >= (readAt ?? -Infinity));
