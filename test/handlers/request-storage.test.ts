import { STATUSES } from '../../events';
import { requestStorage } from '../../handlers/request-storage';
import { later, NOW } from '../support/builders';
import { lustreRunIn, lustreStorageIn, MADE, probe, runIn, storageIn } from './world';

const others = STATUSES.filter((status) => status !== 'queued');
const zones = ['us-east-1a', 'us-east-1b', 'us-east-1c'];
const deferred = (tries: number) => ({
  ...runIn('queued', { parameters: { zones, ebsSizeGb: 700 } }),
  storage: storageIn('queued', { tries, retryAt: later(60) }),
});
const zoneOf = (tries: number) => {
  const answer = requestStorage.decide(deferred(tries), probe, NOW + 60_000);
  return answer.kind === 'conclude' ? answer.drafts[0]?.data.zone : undefined;
};

describe('request-storage decides', () => {
  it('asks anew when the wait is over', () => {
    expect(requestStorage.decide(deferred(2), probe, NOW + 60_000)).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'StorageRequested',
          data: { kind: 'volume', zone: expect.stringMatching(/^us-east-1[abc]$/), sizeGib: 700 },
        },
      ],
    });
  });

  it('waits until then, and not a millisecond less', () => {
    expect(requestStorage.decide(deferred(2), probe, NOW + 59_999)).toEqual({
      kind: 'again',
      at: NOW + 60_000,
    });
  });

  it('asks at once where nobody said to wait', () => {
    expect(
      requestStorage.decide(runIn('queued', { parameters: { zones } }), probe, NOW),
    ).toMatchObject({ kind: 'conclude' });
  });

  it('goes round all zones, one per refusal', () => {
    expect([1, 2, 3].map(zoneOf).sort()).toEqual(zones);
  });

  it.each(others)('ignores a run that is %s', (status) => {
    expect(requestStorage.decide(runIn(status), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });

  it('asks for a file system in the modes that have one', () => {
    const queued = lustreRunIn('queued', { parameters: { zones, lustreStorageCapacity: 4800 } });
    expect(requestStorage.decide(queued, probe, NOW)).toMatchObject({
      drafts: [{ data: { kind: 'fileSystem', sizeGib: 4800 } }],
    });
  });

  it('asks for nothing while a file system that failed is still there, however long it waited', () => {
    const storage = lustreStorageIn('queued', { ...MADE, tries: 2, retryAt: later(60) });
    const queued = lustreRunIn('queued', { parameters: { zones }, storage });
    expect(requestStorage.decide(queued, probe, NOW + 3_600_000)).toEqual({
      kind: 'ignore',
      reason: 'the storage before is still there',
    });
  });

  it('is woken when that is gone', () => {
    expect(requestStorage.on?.types).toEqual(['StorageDiscarded']);
  });
});
