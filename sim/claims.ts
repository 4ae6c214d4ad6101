import { isLast, overlaps } from '../events';
import type { Claims, Clock } from '../handlers';
import type { MemoryRuns } from './run-store';

interface Claim {
  readonly runId: string;
  readonly repositoryPath: string;
  readonly takenAt: number;
}

/** A claim whose run never came to be is believed for so long. */
const UNBORN_MS = 3_600_000;

/**
 * The twin of the claims in the table. A living run also has the place that its own journal names, so
 * what an earlier session took is taken still.
 */
export function memoryClaims(parts: {
  readonly clock: Pick<Clock, 'now'>;
  readonly runs: Pick<MemoryRuns, 'all'>;
}): Claims {
  const { clock, runs } = parts;
  let taken: readonly Claim[] = [];

  /** The claims that still hold: of living runs, and of runs that may yet begin. */
  function holding(): readonly Claim[] {
    const all = runs.all();
    const ended = all.filter(({ status }) => isLast(status)).map(({ id }) => id);
    const born = all.map(({ id }) => id);
    const isYoung = ({ takenAt }: Claim) => clock.now() < takenAt + UNBORN_MS;
    taken = taken.filter(
      (claim) => !ended.includes(claim.runId) && (born.includes(claim.runId) || isYoung(claim)),
    );
    const journaled = all.flatMap(({ id, status, parameters: { dataRepositoryPath: path } }) =>
      path && !isLast(status) ? [{ runId: id, repositoryPath: path, takenAt: 0 }] : [],
    );
    return [...journaled, ...taken];
  }

  return {
    async take({ runId, repositoryPath }) {
      const holder = holding().find(
        (claim) => claim.runId !== runId && overlaps(claim.repositoryPath, repositoryPath),
      );
      if (holder) return holder.runId;
      const rest = taken.filter(
        (claim) => claim.runId !== runId || claim.repositoryPath !== repositoryPath,
      );
      taken = [...rest, { runId, repositoryPath, takenAt: clock.now() }];
      return undefined;
    },
  };
}
