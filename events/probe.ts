import * as z from 'zod';
import { ActiveStatus, type Contract, RunId, readDetail, SOURCE } from './contract';

/** One timed look at a run. Not a fact, so not in the journal. */
export interface ProbeDue {
  readonly runId: string;
  readonly status: ActiveStatus;
}

export const PROBE_DUE = 'ProbeDue';

const detail = z.object({ runId: RunId, status: ActiveStatus });

/** The probes of the statuses that a handler watches. */
export function probeOf(statuses: readonly ActiveStatus[]): Contract<ProbeDue> {
  return {
    types: [PROBE_DUE],
    patterns: [{ source: [SOURCE], 'detail-type': [PROBE_DUE], detail: { status: [...statuses] } }],
    parse(envelope) {
      const data = readDetail(PROBE_DUE, detail, envelope.detail);
      return { type: PROBE_DUE, about: { runId: data.runId }, data };
    },
  };
}
