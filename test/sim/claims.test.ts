import type { Run, RunStatus } from '../../events';
import { memoryClaims } from '../../sim/claims';
import { virtualClock } from '../../sim/clock';
import { advance, NOW, run } from '../support/builders';

const HOUR_MS = 3_600_000;
const PLACE = 's3://shared/a/';

/** Claims over runs that a test can change. */
function claimsOver(...before: readonly Run[]) {
  const clock = virtualClock(NOW);
  const runs = [...before];
  const claims = memoryClaims({ clock, runs: { all: () => runs } });
  const take = (runId: string, repositoryPath = PLACE) => claims.take({ runId, repositoryPath });
  return { clock, runs, take };
}
const runWith = (id: string, status: RunStatus, path?: string) =>
  run({ id, status, parameters: path ? { dataRepositoryPath: path } : {} });

describe('a claim', () => {
  it('is given to the first who asks', async () => {
    const { take } = claimsOver();
    expect([await take('r1'), await take('r2')]).toEqual([undefined, 'r1']);
  });

  it('is its own run’s to take again', async () => {
    const { take } = claimsOver();
    await take('r1');
    expect([await take('r1'), await take('r2')]).toEqual([undefined, 'r1']);
  });

  it.each(['s3://shared/a/b/', 's3://shared/', 's3://shared', 's3://shared/a'])(
    'is of what lies within it and around it too: %s',
    async (other) => {
      const { take } = claimsOver();
      await take('r1');
      expect(await take('r2', other)).toBe('r1');
    },
  );

  it.each(['s3://shared/ab/', 's3://shared/b', 's3://other/a/'])(
    'is not of what lies beside it: %s',
    async (other) => {
      const { take } = claimsOver();
      await take('r1');
      expect(await take('r2', other)).toBeUndefined();
    },
  );

  it('of a run that never began ends after an hour', async () => {
    const { clock, take } = claimsOver();
    await take('r1');
    await advance(clock, HOUR_MS - 1);
    const before = await take('r2');
    await advance(clock, 1);
    expect([before, await take('r2')]).toEqual(['r1', undefined]);
  });

  it('of a run that began lasts as long as the run', async () => {
    const { clock, runs, take } = claimsOver();
    await take('r1');
    runs.push(runWith('r1', 'running'));
    await advance(clock, 48 * HOUR_MS);
    expect(await take('r2')).toBe('r1');
  });

  it.each(['queued', 'exporting', 'releasing', 'retained'] as const)(
    'holds while its run is %s',
    async (status) => {
      const { runs, take } = claimsOver();
      await take('r1');
      runs.push(runWith('r1', status));
      expect(await take('r2')).toBe('r1');
    },
  );

  it.each(['succeeded', 'failed', 'cancelled', 'rejected'] as const)(
    'ends when its run is %s',
    async (status) => {
      const { runs, take } = claimsOver();
      await take('r1');
      runs.push(runWith('r1', status, PLACE));
      expect(await take('r2')).toBeUndefined();
    },
  );

  it('of an earlier session is known from the run', async () => {
    const { take } = claimsOver(runWith('r0', 'retained', 's3://shared/a'));
    expect(await take('r1')).toBe('r0');
  });
});
