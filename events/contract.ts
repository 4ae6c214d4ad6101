import * as z from 'zod';

/** Who sends our events. People's rules match on it. */
export const SOURCE = 'ebbtide';

export const MODES = ['taskExport', 'autoExport', 'onlyEBS'] as const;
/** Which storage a run gets, and how its results reach S3. */
export const Mode = z.enum(MODES);
export type Mode = z.infer<typeof Mode>;

/** A run in one of these still has somewhere to go. Each has a deadline and a watcher. */
export const ACTIVE_STATUSES = [
  'queued',
  'provisioning',
  'ready',
  'running',
  'exporting',
  'releasing',
  'retained',
] as const;
/** From these no row of the table leads on. */
export const LAST_STATUSES = ['succeeded', 'failed', 'cancelled', 'rejected'] as const;
export const STATUSES = [...ACTIVE_STATUSES, ...LAST_STATUSES] as const;
/** Where a run is. */
export const RunStatus = z.enum(STATUSES);
export type RunStatus = z.infer<typeof RunStatus>;
export const ActiveStatus = z.enum(ACTIVE_STATUSES);
export type ActiveStatus = z.infer<typeof ActiveStatus>;
export type LastStatus = (typeof LAST_STATUSES)[number];

/** From such a status no row of the table leads on. */
export function isLast(status: RunStatus): status is LastStatus {
  return (LAST_STATUSES as readonly RunStatus[]).includes(status);
}

/** Becomes part of job names (128 characters at Batch), tags and client tokens (63 at FSx). */
export const RunId = z.string().regex(/^[a-z0-9-]{1,40}$/);

/** An event as EventBridge delivers it. Only what we read; services add fields without notice. */
export interface Envelope {
  readonly id: string;
  readonly source: string;
  readonly 'detail-type': string;
  readonly account?: string;
  readonly time: string;
  readonly region?: string;
  readonly resources?: readonly string[];
  readonly detail: unknown;
}

/** An EventBridge pattern, in AWS's own JSON form. */
export type EventPattern = { readonly [field: string]: unknown };

/**
 * What an event is about, as far as it can say: a run, or storage that the store resolves to one.
 * `seq` is there when the event was born in our table: the run cannot be older than that.
 */
export type About =
  | { readonly runId: string; readonly seq?: number }
  | { readonly storageId: string };

/** An event after parsing: its name, what it is about, and the fields we use. */
export interface Parsed<Data> {
  readonly type: string;
  readonly about: About;
  readonly data: Data;
}

/** What a handler can listen to. */
export interface Contract<Data = unknown> {
  readonly types: readonly string[];
  readonly patterns: readonly EventPattern[];
  /** Throws on anything that is not the contract's event: such an envelope is a defect. */
  parse(envelope: Envelope): Parsed<Data>;
}

/** A fact about a run that is not written yet. */
export interface Draft<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/** A fact about a run: its row in the journal, and the detail of its event. */
export interface RunEvent<Type extends string = string, Data = unknown> extends Draft<Type, Data> {
  readonly runId: string;
  readonly mode: Mode;
  /** Where the run is after this event. */
  readonly status: RunStatus;
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly time: string;
}

/** The contract of one of our own events, with the way to make it. */
export interface EventContract<Type extends string = string, Data = unknown>
  extends Contract<Data> {
  readonly type: Type;
  readonly meaning: string;
  readonly schema: z.ZodType<Data>;
  of(data: Data): Draft<Type, Data>;
}

/**
 * Ties a name to its meaning and its data. All three are written down in this one call: the rule,
 * the parser, the handlers' types, the catalogue and the JSON Schema are read off it.
 */
export function defineEvent<const Type extends string, Data>(
  type: Type,
  meaning: string,
  data: z.ZodType<Data>,
): EventContract<Type, Data> {
  const detail = z.object({ ...identity, data });
  return {
    type,
    meaning,
    schema: data,
    types: [type],
    patterns: [{ source: [SOURCE], 'detail-type': [type] }],
    of: (value) => ({ type, data: value }),
    parse(envelope) {
      const { runId, seq, data: value } = readDetail(type, detail, envelope.detail);
      return { type, about: { runId, seq }, data: value };
    },
  };
}

/** Reads what an event says. What is not the contract's is a defect, told in a sentence. */
export function readDetail<Detail>(
  type: string,
  schema: z.ZodType<Detail>,
  detail: unknown,
): Detail {
  const { success, data, error } = schema.safeParse(detail);
  if (success) return data;
  const wrong = error.issues.map(
    ({ path, message }) => `${path.join('.') || 'detail'}: ${message}`,
  );
  throw new Error(`${type} is not what its contract says: ${wrong.join('; ')}`);
}

/** What every event of ours says of its run, beside its data. */
export const identity = {
  runId: RunId,
  mode: Mode,
  status: RunStatus,
  seq: z.int().positive(),
  time: z.iso.datetime(),
};

/** One contract out of several: for a handler that several events can wake. */
export function anyOf<Data>(...contracts: readonly Contract<Data>[]): Contract<Data> {
  return {
    types: contracts.flatMap((contract) => contract.types),
    patterns: contracts.flatMap((contract) => contract.patterns),
    parse(envelope) {
      const type = envelope['detail-type'];
      const contract = contracts.find((each) => each.types.includes(type));
      if (!contract) throw new Error(`no contract for detail-type ${type}`);
      return contract.parse(envelope);
    },
  };
}
