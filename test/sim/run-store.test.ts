import { ReleaseStarted, RequestRefused, RunSucceeded, StorageReleased } from '../../events';
import { changeOf } from '../../handlers';
import { memoryRuns, type StreamRecord } from '../../sim/run-store';
import { NOW, run } from '../support/builders';
import { runStoreContract } from '../support/run-store.contract';

runStoreContract('the table in memory', () => memoryRuns());

const refused = RequestRefused.of({ request: 'somebody', reason: 'else', requestId: 'q1' });
const change = changeOf(run(), { runId: 'r1', drafts: [refused, refused], now: NOW });
const begun = { ...change, before: 0 };

describe('the stream of the table in memory', () => {
  async function streamed(...changes: readonly (typeof change)[]): Promise<StreamRecord[]> {
    const runs = memoryRuns();
    const records: StreamRecord[] = [];
    runs.onRecord((record) => void records.push(record));
    for (const each of changes) await runs.commit(each);
    return records;
  }

  it('shows each event of a commit once and in order, then its look', async () => {
    expect(await streamed(begun)).toEqual([
      { kind: 'event', event: begun.events[0] },
      { kind: 'event', event: begun.events[1] },
      { kind: 'look', look: begun.look },
    ]);
  });

  it('shows nothing of a change that came too late', async () => {
    expect((await streamed(begun, change, { ...change, before: 99 })).length).toBe(3);
  });

  it('shows no look of a run that is over', async () => {
    const verdict = { kind: 'succeeded' } as const;
    const end = [ReleaseStarted.of({ verdict }), StorageReleased.of({}), RunSucceeded.of({})];
    const over = changeOf(run(), { runId: 'r1', drafts: end, now: NOW });
    const records = await streamed({ ...over, before: 0 });
    expect(records.map(({ kind }) => kind)).toEqual(['event', 'event', 'event']);
  });

  it('shows a look that was moved', async () => {
    const runs = memoryRuns();
    await runs.commit(begun);
    const records: StreamRecord[] = [];
    runs.onRecord((record) => void records.push(record));
    const lookAt = new Date(NOW + 1000).toISOString();
    const now = new Date(NOW).toISOString();
    await runs.lookAgain({ runId: 'r1', status: 'provisioning', lookAt, now });
    expect(records).toMatchObject([{ kind: 'look', look: { lookAt } }]);
  });
});

describe('a commit that cannot be made durable', () => {
  const failing = () =>
    memoryRuns({
      beforeCommit: () => {
        throw new Error('no space left');
      },
    });

  it('is thrown', async () => {
    await expect(failing().commit(begun)).rejects.toThrow('no space left');
  });

  it('leaves nothing behind', async () => {
    const runs = failing();
    await runs.commit(begun).catch(() => {});
    expect([await runs.get('r1'), await runs.journal('r1'), await runs.look('r1')]).toEqual([
      undefined,
      [],
      undefined,
    ]);
  });
});

describe('a look of the table in memory', () => {
  it('is a copy: who changes one that was read changes nothing', async () => {
    const runs = memoryRuns();
    await runs.commit(begun);
    Object.assign((await runs.look('r1')) ?? {}, { spoiled: true });
    expect(await runs.looks('provisioning')).toEqual([begun.look]);
  });
});
