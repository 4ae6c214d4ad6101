import type { HostNote } from '../sim/ledger';

/** What a run that seems to have gone well should still be told. */
export function warningsOf(notes: readonly HostNote[]): string[] {
  const warned = new Set<string>();
  const early = notes.filter(({ kind, job, exitCode }) => {
    if (kind === 'noticed') warned.add(job);
    else if (kind === 'ended') return warned.delete(job) && exitCode === 0;
    return false;
  });
  return early.map(
    ({ job }) =>
      `Job ${job} left with 0 after SIGTERM, which says finished: Batch did not call it again. If it was not finished, let it leave with 143.`,
  );
}
