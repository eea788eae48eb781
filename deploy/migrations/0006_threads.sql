-- Up Migration

-- A user's row about a conversation becomes smaller. Messages are arrays: id, sender, sentAt, time from there to since,
-- time from there to seen, 1 if the user is mentioned. Fields that have the value of a new row are left out.
create function messages_as_arrays(them jsonb) returns jsonb as $$
  select nullif(
    coalesce(
      jsonb_agg(
        jsonb_build_array(
          one -> 'messageId',
          one -> 'senderId',
          one -> 'sentAt',
          (one ->> 'since')::bigint - (one ->> 'sentAt')::bigint,
          (one ->> 'seen')::bigint - (one ->> 'since')::bigint,
          case when (one ->> 'isMentioned')::boolean then 1 else 0 end)
        order by place),
      '[]'),
    '[]')
  from jsonb_array_elements(them) with ordinality as message (one, place)
$$ language sql;

update state_inboxes
set value = jsonb_strip_nulls(value::jsonb || jsonb_build_object(
  'readUntil', nullif(value::jsonb -> 'readUntil', '-1'),
  'missed', messages_as_arrays(value::jsonb -> 'missed'),
  'count', nullif(value::jsonb -> 'count', to_jsonb(json_array_length(value -> 'missed'))),
  'attended', messages_as_arrays(value::jsonb -> 'attended'),
  'told', nullif(value::jsonb -> 'told', '[]'),
  'toldAt', nullif(value::jsonb -> 'toldAt', '[]')))::json
where key like 't%';

drop function messages_as_arrays;

-- Down Migration

-- Rows in the form of an earlier version are not kept: `ops rebuild --switch` of that version makes them.
