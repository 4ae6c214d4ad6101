import { STATUSES } from '../../events';
import { discardFileSystem } from '../../handlers/discard-file-system';
import { FILE_SYSTEM, later, NOW } from '../support/builders';
import { lustreRunIn, lustreStorageIn, MADE, probe, runIn, seenFileSystem, world } from './world';

const others = STATUSES.filter((status) => status !== 'queued');
const deferred = lustreRunIn('queued', {
  storage: lustreStorageIn('queued', { ...MADE, tries: 2, retryAt: later(60) }),
});

describe('discard-file-system decides', () => {
  it('discards the file system that failed, by its id', () => {
    expect(discardFileSystem.decide(deferred, probe, NOW)).toEqual({
      kind: 'proceed',
      key: 'r1.discard',
      step: FILE_SYSTEM,
    });
  });

  it('ignores a run that has nothing left', () => {
    expect(discardFileSystem.decide(lustreRunIn('queued'), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'there is nothing to discard',
    });
  });

  it('ignores a run on a volume', () => {
    expect(discardFileSystem.decide(runIn('queued'), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the storage is a volume',
    });
  });

  it.each(others)('ignores a run that is %s: its file system may hold something', (status) => {
    const storage = lustreStorageIn(status, MADE);
    expect(discardFileSystem.decide(lustreRunIn(status, { storage }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });
});

describe('discard-file-system acts', () => {
  it.each([
    ['FSx shows it no more', [], true],
    ['FSx deletes it yet', [seenFileSystem({ lifecycle: 'DELETING' })], false],
    ['FSx has it as it was', [seenFileSystem({ lifecycle: 'FAILED' })], false],
  ])('and looks what is left: %s', async (_what, left, isGone) => {
    const { ports } = world();
    const calls: string[] = [];
    const fileSystems = {
      ...ports.fileSystems,
      async discard(id: string) {
        calls.push(`discard ${id}`);
        return false;
      },
      async describe([id]: readonly string[]) {
        calls.push(`describe ${id}`);
        return left;
      },
    };
    expect(await discardFileSystem.act?.(FILE_SYSTEM, 'r1.discard', { fileSystems })).toEqual({
      storageId: FILE_SYSTEM,
      isGone,
    });
    expect(calls).toEqual([`discard ${FILE_SYSTEM}`, `describe ${FILE_SYSTEM}`]);
  });
});

describe('discard-file-system records', () => {
  it('that it is gone', () => {
    const gone = { storageId: FILE_SYSTEM, isGone: true };
    expect(discardFileSystem.record?.(gone, deferred, NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'StorageDiscarded', data: { storageId: FILE_SYSTEM } }],
    });
  });

  it('nothing while it is there: looks again in half a minute', () => {
    const there = { storageId: FILE_SYSTEM, isGone: false };
    expect(discardFileSystem.record?.(there, deferred, NOW)).toEqual({
      kind: 'again',
      at: NOW + 30_000,
    });
  });

  it('nothing of the one before on a run that has another by now', () => {
    const storage = lustreStorageIn('provisioning', { id: 'fs-2' });
    const anew = lustreRunIn('provisioning', { storage });
    const gone = { storageId: FILE_SYSTEM, isGone: true };
    expect(discardFileSystem.record?.(gone, anew, NOW)?.kind).toBe('again');
  });
});
