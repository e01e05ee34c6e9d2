/** The fields of the envelope in the body, in the order in which they are written. */
export const ENVELOPE_FIELDS = [
  'event_id',
  'event_type',
  'event_version',
  'occurred_at',
  'aggregate_id',
  'aggregate_type',
  'aggregate_version',
  'tenant_id',
  'actor_id',
  'correlation_id',
  'causation_id',
  'metadata',
] as const;

/** Name of an envelope field. */
export type EnvelopeField = (typeof ENVELOPE_FIELDS)[number];

/** Whether a name belongs to the envelope, hence to no field of `data`. */
export const ENVELOPE: ReadonlySet<string> = new Set(ENVELOPE_FIELDS);
