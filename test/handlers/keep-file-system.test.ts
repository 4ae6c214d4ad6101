import { pricePerHour, STATUSES } from '../../events';
import { keepFileSystem } from '../../handlers/keep-file-system';
import { FILE_SYSTEM, later, NOW } from '../support/builders';
import { lustreRunIn, lustreStorageIn, probe, runIn, spentJob, world } from './world';

const others = STATUSES.filter((status) => status !== 'releasing');
const parameters = { deleteLustre: false };
const kept = lustreRunIn('releasing', { parameters });

describe('keep-file-system decides', () => {
  it('keeps the file system of a run that says so', () => {
    expect(keepFileSystem.decide(kept, probe, NOW)).toEqual({
      kind: 'proceed',
      key: 'r1.keep',
      step: FILE_SYSTEM,
    });
  });

  it('leaves a file system to its release unless the run says otherwise', () => {
    expect(keepFileSystem.decide(lustreRunIn('releasing'), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'there is no file system to keep',
    });
  });

  it.each([
    ['was never made', { id: undefined }],
    ['was never seen to be usable', { availableAt: undefined }],
    ['was released', { over: 'released' }],
    ['was kept', { over: 'kept' }],
    ['was lost', { over: 'lost' }],
  ] as const)('ignores a file system that %s', (_what, overrides) => {
    const storage = lustreStorageIn('releasing', overrides);
    expect(keepFileSystem.decide({ ...kept, storage }, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'there is no file system to keep',
    });
  });

  it('keeps a file system that was lost from sight, whatever the run says, if it is there after all', () => {
    const storage = lustreStorageIn('releasing', { over: 'lost', unseen: true });
    const before = lustreRunIn('releasing', { storage });
    expect(keepFileSystem.decide(before, probe, NOW)).toMatchObject({
      kind: 'proceed',
      step: FILE_SYSTEM,
    });
  });

  it('does not give a file system to its owner before no job of it may be alive', () => {
    const busy = { ...kept, jobs: { main: spentJob({ submission: 2 }) } };
    expect(keepFileSystem.decide(busy, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'a job of it may be alive',
    });
    expect(keepFileSystem.decide({ ...busy, jobsEndedAt: later(0) }, probe, NOW)).toMatchObject({
      kind: 'proceed',
    });
  });

  it('ignores a run on a volume', () => {
    const volume = runIn('releasing', { parameters: { deleteEbs: false, deleteLustre: false } });
    expect(keepFileSystem.decide(volume, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the storage is a volume',
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    expect(keepFileSystem.decide(lustreRunIn(status, { parameters }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });
});

describe('keep-file-system acts', () => {
  it.each([true, false])('and says whether FSx has it: %s', async (isThere) => {
    const { ports } = world();
    const asked: string[] = [];
    const keep = async (fileSystemId: string) => {
      asked.push(fileSystemId);
      return isThere;
    };
    const fileSystems = { ...ports.fileSystems, keep };
    expect(await keepFileSystem.act?.(FILE_SYSTEM, 'r1.keep', { fileSystems })).toEqual({
      storageId: FILE_SYSTEM,
      isThere,
    });
    expect(asked).toEqual([FILE_SYSTEM]);
  });
});

describe('keep-file-system records', () => {
  it('that the file system was kept, and what it costs from now on', () => {
    const found = { storageId: FILE_SYSTEM, isThere: true };
    expect(keepFileSystem.record?.(found, kept, NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'StorageKept',
          data: { storageId: FILE_SYSTEM, pricePerHour: pricePerHour(kept) },
        },
      ],
    });
  });

  it('that a file system that FSx does not know is gone, and costs nothing', () => {
    const found = { storageId: FILE_SYSTEM, isThere: false };
    expect(keepFileSystem.record?.(found, kept, NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'StorageReleased', data: { storageId: FILE_SYSTEM } }],
    });
  });
});
