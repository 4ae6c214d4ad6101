import { STATUSES } from '../../events';
import { createFileSystem } from '../../handlers/create-file-system';
import { FILE_SYSTEM, later, lustreRun, NOW } from '../support/builders';
import { lustreRunIn, lustreStorageIn, MADE, probe, runIn } from './world';

const others = STATUSES.filter((status) => status !== 'provisioning');
const tried = (tries: number) => lustreRun({ storage: lustreStorageIn('provisioning', { tries }) });

describe('create-file-system decides', () => {
  it('asks for one file system per run, as its parameters say', () => {
    const parameters = { lustreFileSystemTypeVersion: '2.12' } as const;
    const mode = 'autoExport';
    expect(createFileSystem.decide(lustreRun({ mode, parameters }), probe, NOW)).toEqual({
      kind: 'proceed',
      key: 'r1.storage-mjuohs00.1',
      step: { runId: 'r1', mode, zone: 'us-east-1a', sizeGib: 2400, version: '2.12' },
    });
  });

  it('always names a version: FSx would take one without associations', () => {
    expect(createFileSystem.decide(lustreRun(), probe, NOW)).toMatchObject({
      step: { version: '2.15' },
    });
  });

  it('names the storage of another run of the same id by another key', () => {
    const another = createFileSystem.decide(lustreRun({ acceptedAt: later(0.001) }), probe, NOW);
    expect(another).toMatchObject({ key: 'r1.storage-mjuohs01.1' });
  });

  it('has room for the longest id, the latest time and many tries in a key of 63', () => {
    const id = 'r'.repeat(40);
    const { storage } = lustreRun();
    const before = lustreRun({
      id,
      acceptedAt: '2059-01-01T00:00:00.000Z',
      storage: { ...storage, tries: 999 },
    });
    const decided = createFileSystem.decide(before, probe, NOW);
    expect(decided.kind === 'proceed' && decided.key.length).toBeLessThanOrEqual(63);
  });

  it('names another try by another key', () => {
    expect(createFileSystem.decide(tried(3), probe, NOW)).toMatchObject({
      key: 'r1.storage-mjuohs00.3',
    });
  });

  it('has a key that FSx takes for the longest id and a day of refusals', () => {
    const run = { ...tried(999), id: 'r'.repeat(40) };
    const decided = createFileSystem.decide(run, probe, NOW);
    expect(decided.kind === 'proceed' && decided.key.length).toBeLessThanOrEqual(63);
  });

  it.each(others)('ignores a run that is %s', (status) => {
    expect(createFileSystem.decide(lustreRunIn(status), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });

  it('ignores a run whose file system exists', () => {
    const storage = lustreStorageIn('provisioning', MADE);
    expect(createFileSystem.decide(lustreRun({ storage }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'file system exists',
    });
  });

  it('ignores a run on a volume', () => {
    expect(createFileSystem.decide(runIn('provisioning'), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the storage is a volume',
    });
  });
});

describe('create-file-system records', () => {
  const created = { ok: true, fileSystemId: FILE_SYSTEM, mountName: 'abcdefgh' } as const;
  const noRoom = { ok: false, noRoom: true, reason: 'no capacity' } as const;
  const refused = { ok: false, noRoom: false, reason: 'no such subnet' } as const;

  it('the file system with the name it is mounted by', () => {
    expect(createFileSystem.record?.(created, lustreRun(), NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'FileSystemCreated',
          data: { fileSystemId: FILE_SYSTEM, mountName: 'abcdefgh' },
        },
      ],
    });
  });

  it('the file system of a run that is releasing by now: its release must know it', () => {
    const releasing = lustreRunIn('releasing', { storage: lustreStorageIn('provisioning') });
    expect(createFileSystem.record?.(created, releasing, NOW)).toMatchObject({
      drafts: [{ type: 'FileSystemCreated' }],
    });
  });

  it.each([
    [1, 60],
    [2, 120],
    [5, 900],
    [40, 900],
  ])('no room at try %i: asked for again after %i seconds', (tries, seconds) => {
    expect(createFileSystem.record?.(noRoom, tried(tries), NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        { type: 'StorageDeferred', data: { reason: 'no capacity', retryAt: later(seconds) } },
      ],
    });
  });

  it('a refusal as the end of the run', () => {
    expect(createFileSystem.record?.(refused, lustreRun(), NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        { type: 'StorageFailed', data: { reason: 'no such subnet' } },
        {
          type: 'ReleaseStarted',
          data: { verdict: { kind: 'failed', reason: 'no such subnet' } },
        },
      ],
    });
  });

  it.each([
    ['a file system', created],
    ['no room', noRoom],
    ['a refusal', refused],
  ])('nothing when %s comes for a run that has one', (_outcome, outcome) => {
    expect(createFileSystem.record?.(outcome, lustreRunIn('ready'), NOW)).toEqual({
      kind: 'ignore',
      reason: 'file system exists',
    });
  });
});
