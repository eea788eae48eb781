import { isUndeletedSince, restoredBy } from "../domain/deletion.ts";
import type { ProfileRow } from "../domain/inbox-rows.ts";
import type { User } from "../domain/records.ts";
import type { Millis } from "../platform/contract/time.ts";
import { keep } from "./missed.ts";
import { markStanding, noteDropped, type Draft } from "./draft.ts";

const unknown: ProfileRow = { type: "profile", user: null, at: -Infinity, deletedAt: null, restoredAt: null };

/**
 * Takes in a profile. One older than the known profile changes nothing but `restoredAt`. Returns `restoredAt` where the
 * profile has changed it, else null.
 */
export const onProfile = (draft: Draft, user: User, at: Millis): Millis | null => {
  const before = draft.inbox.profile ?? unknown;
  const restoredAt = restoredBy(before, at);
  if (at >= before.at) setProfile(draft, { ...before, user, at, restoredAt });
  else if (restoredAt !== before.restoredAt) setProfile(draft, { ...before, restoredAt });
  return restoredAt !== before.restoredAt ? restoredAt : null;
};

/** Deletes the user's profile, and drops every message that they missed or attended before. */
export const onDeleted = (draft: Draft, at: Millis): void => {
  const { open, attended, threads } = draft.inbox;
  setProfile(draft, { type: "profile", user: null, at, deletedAt: at, restoredAt: null });
  const concerned = new Set(open);
  for (const conversation of attended.keys()) {
    const thread = threads.get(conversation);
    if (thread !== undefined) concerned.add(thread);
  }
  for (const thread of concerned) {
    const gone = keep(thread, ({ since }) => since >= at);
    noteDropped(draft, thread, gone, { reason: "user_deleted", facts: {} });
  }
};

const setProfile = (draft: Draft, profile: ProfileRow): void => {
  const { inbox } = draft;
  const { profile: before, unsaved } = inbox;
  inbox.profile = profile;
  draft.isChanged = unsaved.profile = true;
  // A user of whom only the profile is known has no standing to save.
  if (inbox.asOf >= 0) markStanding(draft);
  const isSame = before?.user?.role === profile.user?.role && before?.user?.timezone === profile.user?.timezone;
  if (isSame) return;
  draft.recheckAll = true;
  draft.settings = null;
};

/** Tells whether the user has not been deleted since a time. A user who never had a profile counts as not deleted. */
export const isUserUndeletedSince = (profile: ProfileRow | null, since: Millis): boolean =>
  profile === null || isUndeletedSince(profile, since);
