import { pricePerHour, STATUSES } from '../../events';
import { keepVolume } from '../../handlers/keep-volume';
import { later, NOW } from '../support/builders';
import { probe, runIn, spentJob, storageIn, VOLUME, world } from './world';

const others = STATUSES.filter((status) => status !== 'releasing');
const kept = runIn('releasing', { parameters: { deleteEbs: false } });

describe('keep-volume decides', () => {
  it('keeps the volume of a run that says so', () => {
    expect(keepVolume.decide(kept, probe, NOW)).toEqual({
      kind: 'proceed',
      key: 'r1.keep',
      step: VOLUME,
    });
  });

  it('leaves a volume to its release unless the run says otherwise', () => {
    expect(keepVolume.decide(runIn('releasing'), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'there is no volume to keep',
    });
  });

  it.each([
    ['was never made', { id: undefined }],
    ['was never seen to be usable', { availableAt: undefined }],
    ['was released', { over: 'released' }],
    ['was kept', { over: 'kept' }],
    ['was lost', { over: 'lost' }],
  ] as const)('ignores a volume that %s', (_what, overrides) => {
    const storage = storageIn('releasing', overrides);
    expect(keepVolume.decide({ ...kept, storage }, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'there is no volume to keep',
    });
  });

  it('keeps a volume that was lost from sight, whatever the run says, if it is there after all', () => {
    const storage = storageIn('releasing', { over: 'lost', unseen: true });
    const before = runIn('releasing', { storage });
    expect(keepVolume.decide(before, probe, NOW)).toMatchObject({ kind: 'proceed', step: VOLUME });
  });

  it('does not give a volume to its owner before no job of it may be alive', () => {
    const busy = { ...kept, jobs: { main: spentJob({ submission: 2 }) } };
    expect(keepVolume.decide(busy, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'a job of it may be alive',
    });
    expect(keepVolume.decide({ ...busy, jobsEndedAt: later(0) }, probe, NOW)).toMatchObject({
      kind: 'proceed',
    });
  });

  it('ignores a run on a file system', () => {
    const storage = storageIn('releasing', { kind: 'fileSystem' });
    expect(keepVolume.decide({ ...kept, storage }, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the storage is a file system',
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    const parameters = { deleteEbs: false };
    expect(keepVolume.decide(runIn(status, { parameters }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });
});

describe('keep-volume acts', () => {
  it.each([true, false])('and says of the volume whether EC2 has it: %s', async (isThere) => {
    const { ports } = world();
    const asked: string[] = [];
    const keep = async (volumeId: string) => {
      asked.push(volumeId);
      return isThere;
    };
    const volumes = { ...ports.volumes, keep };
    expect(await keepVolume.act?.(VOLUME, 'r1.keep', { volumes })).toEqual({
      storageId: VOLUME,
      isThere,
    });
    expect(asked).toEqual([VOLUME]);
  });
});

describe('keep-volume records', () => {
  it('that the volume was kept, and what it costs from now on', () => {
    expect(keepVolume.record?.({ storageId: VOLUME, isThere: true }, kept, NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'StorageKept',
          data: { storageId: VOLUME, pricePerHour: pricePerHour(kept) },
        },
      ],
    });
  });

  it('that a volume that EC2 does not know is gone, and costs nothing', () => {
    expect(keepVolume.record?.({ storageId: VOLUME, isThere: false }, kept, NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'StorageReleased', data: { storageId: VOLUME } }],
    });
  });
});
