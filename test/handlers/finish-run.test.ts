import { STATUSES } from '../../events';
import { finishRun } from '../../handlers/finish-run';
import { NOW } from '../support/builders';
import { probe, runIn, storageIn } from './world';

const others = STATUSES.filter((status) => status !== 'releasing');
const settled = (over: 'released' | 'kept' | 'lost' | undefined) =>
  runIn('releasing', { storage: storageIn('releasing', { over }) });

describe('finish-run decides', () => {
  it.each(['released', 'kept'] as const)('closes a run whose storage is %s', (over) => {
    expect(finishRun.decide(settled(over), probe, NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'RunSucceeded', data: {} }],
    });
  });

  it.each([
    [{ kind: 'succeeded' }, 'RunSucceeded', {}],
    [{ kind: 'failed', reason: 'exit 1' }, 'RunFailed', { reason: 'exit 1' }],
    [{ kind: 'cancelled', reason: 'enough' }, 'RunCancelled', { reason: 'enough' }],
  ] as const)('ends a run as its verdict %j says', (verdict, type, data) => {
    expect(finishRun.decide({ ...settled('released'), verdict }, probe, NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type, data }],
    });
  });

  it.each([undefined, 'lost'] as const)('waits while the storage is %s', (over) => {
    expect(finishRun.decide(settled(over), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the storage is still there',
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    const storage = storageIn(status, { over: 'released' });
    expect(finishRun.decide(runIn(status, { storage }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });
});
