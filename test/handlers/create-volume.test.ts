import { STATUSES } from '../../events';
import { createVolume } from '../../handlers/create-volume';
import { later, NOW, run } from '../support/builders';
import { probe, runIn, storageIn, VOLUME } from './world';

const others = STATUSES.filter((status) => status !== 'provisioning');
const tried = (tries: number) => run({ storage: storageIn('provisioning', { tries }) });

describe('create-volume decides', () => {
  it('asks for one volume per run, as large and fast as its parameters say', () => {
    const parameters = { ebsIOPS: 4000, ebsThroughput: 250 };
    expect(createVolume.decide(run({ parameters }), probe, NOW)).toEqual({
      kind: 'proceed',
      key: 'r1.storage-mjuohs00.1',
      step: { runId: 'r1', zone: 'us-east-1a', sizeGib: 500, iops: 4000, throughputMibps: 250 },
    });
  });

  it('names the storage of another run of the same id by another key', () => {
    const another = createVolume.decide(run({ acceptedAt: later(0.001) }), probe, NOW);
    expect(another).toMatchObject({ key: 'r1.storage-mjuohs01.1' });
  });

  it('has room for the longest id, the latest time and many tries in a key of 63', () => {
    const id = 'r'.repeat(40);
    const { storage } = run();
    const before = run({
      id,
      acceptedAt: '2059-01-01T00:00:00.000Z',
      storage: { ...storage, tries: 999 },
    });
    const decided = createVolume.decide(before, probe, NOW);
    expect(decided.kind === 'proceed' && decided.key.length).toBeLessThanOrEqual(63);
  });

  it('names another try by another key', () => {
    expect(createVolume.decide(tried(3), probe, NOW)).toMatchObject({
      key: 'r1.storage-mjuohs00.3',
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    expect(createVolume.decide(runIn(status), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });

  it('ignores a run whose volume exists', () => {
    const storage = storageIn('provisioning', { id: VOLUME });
    expect(createVolume.decide(run({ storage }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'volume exists',
    });
  });

  it('ignores a run on a file system', () => {
    const storage = storageIn('provisioning', { kind: 'fileSystem' });
    expect(createVolume.decide(run({ storage }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the storage is a file system',
    });
  });
});

describe('create-volume records', () => {
  const created = { ok: true, volumeId: VOLUME, zone: 'us-east-1b' } as const;
  const noRoom = { ok: false, noRoom: true, reason: 'no capacity' } as const;
  const refused = { ok: false, noRoom: false, reason: 'no such key' } as const;

  it('the volume with the zone it was made in', () => {
    expect(createVolume.record?.(created, run(), NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'VolumeCreated', data: { volumeId: VOLUME, zone: 'us-east-1b' } }],
    });
  });

  it('the volume of a run that is releasing by now: its release must know it', () => {
    const releasing = runIn('releasing', { storage: storageIn('provisioning') });
    expect(createVolume.record?.(created, releasing, NOW)).toMatchObject({
      drafts: [{ type: 'VolumeCreated' }],
    });
  });

  it.each([
    [1, 60],
    [2, 120],
    [4, 480],
    [5, 900],
    [40, 900],
  ])('a zone without room at try %i: asked for again after %i seconds', (tries, seconds) => {
    expect(createVolume.record?.(noRoom, tried(tries), NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        { type: 'StorageDeferred', data: { reason: 'no capacity', retryAt: later(seconds) } },
      ],
    });
  });

  it('a refusal as the end of the run', () => {
    const verdict = { kind: 'failed', reason: 'no such key' };
    expect(createVolume.record?.(refused, run(), NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        { type: 'StorageFailed', data: { reason: 'no such key' } },
        { type: 'ReleaseStarted', data: { verdict } },
      ],
    });
  });

  it.each([
    ['a volume', created],
    ['no room', noRoom],
    ['a refusal', refused],
  ])('nothing when %s comes for a run that has its volume', (_outcome, outcome) => {
    expect(createVolume.record?.(outcome, runIn('ready'), NOW)).toEqual({
      kind: 'ignore',
      reason: 'volume exists',
    });
  });
});
