-- Up Migration

-- A user's row and those of their conversations are parts of one inbox now: the profile is read beside them, and one timer
-- of the user's serves to forget conversations, too. They are looked at when the user's time goes on.
update state_inboxes set due = null, value = (value::jsonb - 'type')::json
where key like 't%' and value::jsonb ? 'type';

update state_inboxes s
set due = least(s.due, (s.value ->> 'asOf')::bigint),
  value = (s.value::jsonb - array['type', 'userId', 'role', 'timezone', 'deletedAt', 'restoredAt']
    || jsonb_build_object(
      'forgetAt', s.value -> 'asOf',
      'open', coalesce(
        (select jsonb_agg(jsonb_build_array(one -> 'conversationId', one -> 'held', one -> 'until') order by one ->> 'conversationId')
         from json_array_elements(s.value -> 'open') one),
        '[]')))::json
where s.key like 'o%' and s.value::jsonb ? 'type';

-- Down Migration

-- Rows in the form of an earlier version are not kept: `ops rebuild --switch` of that version makes them.
