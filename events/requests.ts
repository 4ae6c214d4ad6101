import * as z from 'zod';
import { type Contract, type Envelope, Mode, RunId, readDetail, SOURCE } from './contract';
import { hash } from './fingerprint';
import { causeOf, RequestedRun, runIdOf } from './parameters';
import { fieldsOf } from './parameters/words';
import { Cause } from './run-events';

/** A request: what people may ask. Its contract accepts any JSON object; the handler judges it. */
export interface RequestContract extends Contract<Asked> {
  readonly type: string;
  readonly meaning: string;
  /** What a good request looks like: for people, and for the JSON Schema. */
  readonly schema: z.ZodType;
}

/** What somebody asked, as it came. */
export interface Asked {
  readonly detail: unknown;
  /** An id for a run made of this very request, by its cause or its event: the same at every delivery. */
  readonly derivedId: string;
}

/** A request is about the run it names, and about one derived from its cause where it names none. */
function defineRequest(type: string, meaning: string, schema: z.ZodType): RequestContract {
  return {
    type,
    meaning,
    schema,
    types: [type],
    // Any source of this account: infra narrows the rule to the account.
    patterns: [{ 'detail-type': [type] }],
    parse(envelope) {
      const { detail } = envelope;
      const cause = type === 'RunRequested' ? causeOf(detail) : undefined;
      const derivedId = cause ? runIdOf(cause) : derivedFrom(envelope);
      const named = RunId.safeParse(fieldsOf(detail)?.runId);
      return {
        type,
        about: { runId: named.data ?? derivedId },
        data: { detail, derivedId },
      };
    },
  };
}

export const RunRequested = defineRequest(
  'RunRequested',
  'Somebody wants a run. Everything has a default; an empty detail is a request where the stack has one mode.',
  RequestedRun,
);
export const RunCancelRequested = defineRequest(
  'RunCancelRequested',
  'Somebody wants the run to stop. Its jobs are terminated and its storage goes.',
  z.object({ runId: RunId, reason: z.string().optional() }),
);
export const RunResumeRequested = defineRequest(
  'RunResumeRequested',
  'Somebody wants a retained run to go on at the stage that failed, on the same storage.',
  z.object({ runId: RunId }),
);
export const RunReleaseRequested = defineRequest(
  'RunReleaseRequested',
  'Somebody wants the storage of a retained run gone now. `discard` gives up results that are not in S3.',
  z.object({ runId: RunId, discard: z.boolean().optional() }),
);

/** What a refused request leaves in the journal of the run it collided with. */
export interface Collided {
  readonly mode: Mode;
  readonly reason: string;
  readonly cause?: Cause;
}

const collided = z.object({
  mode: Mode,
  data: z.object({ reason: z.string(), rejectedAs: RunId, cause: Cause.optional() }),
});

/** RequestRefused, seen from the refused request: about the run that says why, not the collided one. */
export const RequestCollided: Contract<Collided> = {
  types: ['RequestRefused'],
  patterns: [
    {
      source: [SOURCE],
      'detail-type': ['RequestRefused'],
      detail: { data: { rejectedAs: [{ exists: true }] } },
    },
  ],
  parse({ detail }) {
    const { mode, data } = readDetail('RequestRefused', collided, detail);
    return {
      type: 'RequestRefused',
      about: { runId: data.rejectedAs },
      data: { mode, reason: data.reason, cause: data.cause },
    };
  },
};

/** Everything that can be asked from outside. */
export const REQUESTS = {
  RunRequested,
  RunCancelRequested,
  RunResumeRequested,
  RunReleaseRequested,
};

function derivedFrom({ id }: Envelope): string {
  const uuid = id.toLowerCase().replaceAll('-', '');
  return /^[0-9a-f]{32}$/.test(uuid) ? `run-${uuid}` : `run-${hash(id).toString(16)}`;
}
