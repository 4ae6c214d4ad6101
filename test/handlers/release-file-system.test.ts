import { STATUSES } from '../../events';
import { releaseFileSystem } from '../../handlers/release-file-system';
import { FILE_SYSTEM, later, NOW } from '../support/builders';
import { lustreRunIn, lustreStorageIn, probe, runIn, runningJob } from './world';

const FIVE_MINUTES = 300_000;
const others = STATUSES.filter((status) => status !== 'releasing');
const releasing = lustreRunIn('releasing', { acceptedAt: later(-60) });
const parameters = { deleteLustre: false };
const withStorage = (overrides: Parameters<typeof lustreStorageIn>[1], changes = {}) =>
  lustreRunIn('releasing', { storage: lustreStorageIn('releasing', overrides), ...changes });

describe('release-file-system decides', () => {
  it('releases all file systems of the run', () => {
    expect(releaseFileSystem.decide(releasing, probe, NOW)).toEqual({
      kind: 'proceed',
      key: 'r1.release',
      step: { runId: 'r1', since: later(-60), fileSystemId: FILE_SYSTEM },
    });
  });

  it('releases what it has no id of: a creation may have died before it could say so', () => {
    expect(releaseFileSystem.decide(withStorage({ id: undefined }), probe, NOW)).toMatchObject({
      kind: 'proceed',
      step: { runId: 'r1', fileSystemId: undefined },
    });
  });

  it.each([
    ['as it is', {}],
    ['even where its owner wanted to keep it', { parameters }],
  ])('releases what is left of a lost file system, %s', (_what, changes) => {
    expect(
      releaseFileSystem.decide(withStorage({ over: 'lost' }, changes), probe, NOW),
    ).toMatchObject({ kind: 'proceed' });
  });

  it('leaves a file system alone on which a job may be alive, until none is', () => {
    const busy = { ...releasing, jobs: { main: runningJob() } };
    expect(releaseFileSystem.decide(busy, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'a job of it may be alive',
    });
    expect(releaseFileSystem.decide({ ...busy, jobsEndedAt: later(0) }, probe, NOW)).toMatchObject({
      kind: 'proceed',
    });
  });

  it('leaves a file system alone that was lost from sight: it may be there with all that was on it', () => {
    const unseen = withStorage({ over: 'lost', unseen: true });
    expect(releaseFileSystem.decide(unseen, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the file system is to be kept',
    });
  });

  it.each(['released', 'kept'] as const)('ignores a file system that is %s', (over) => {
    expect(releaseFileSystem.decide(withStorage({ over }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `file system is ${over}`,
    });
  });

  it('leaves a file system alone that its owner keeps', () => {
    expect(releaseFileSystem.decide(lustreRunIn('releasing', { parameters }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the file system is to be kept',
    });
  });

  it.each([
    ['that nobody has an id of', { id: undefined }],
    ['that nobody has seen to be usable', { availableAt: undefined }],
  ])('releases what its owner could not keep: one %s', (_what, overrides) => {
    expect(
      releaseFileSystem.decide(withStorage(overrides, { parameters }), probe, NOW),
    ).toMatchObject({ kind: 'proceed' });
  });

  it('ignores a run on a volume', () => {
    expect(releaseFileSystem.decide(runIn('releasing'), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the storage is a volume',
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    const storage = lustreStorageIn('ready');
    expect(releaseFileSystem.decide(lustreRunIn(status, { storage }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });
});

describe('release-file-system records', () => {
  const gone = { kind: 'gone' } as const;

  it('at once the release of what was usable once, however short ago it was asked for', () => {
    expect(releaseFileSystem.record?.(gone, releasing, NOW + 1000)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'StorageReleased', data: { storageId: FILE_SYSTEM } }],
    });
  });

  it.each([
    ['with an id', {}],
    ['without an id', { id: undefined }],
  ])('nothing yet while FSx may not show what was asked for a moment ago: %s', (_what, made) => {
    const unseen = withStorage({ ...made, availableAt: undefined });
    expect(releaseFileSystem.record?.(gone, unseen, NOW + FIVE_MINUTES - 1)).toEqual({
      kind: 'again',
      at: NOW + FIVE_MINUTES,
    });
  });

  it('the release of what was never seen, once FSx would have shown it', () => {
    const unseen = withStorage({ availableAt: undefined });
    expect(releaseFileSystem.record?.(gone, unseen, NOW + FIVE_MINUTES)).toMatchObject({
      drafts: [{ type: 'StorageReleased' }],
    });
  });

  it('at once the release of storage that was never asked for', () => {
    const never = withStorage({ id: undefined, availableAt: undefined, requestedAt: undefined });
    expect(releaseFileSystem.record?.(gone, never, NOW)).toMatchObject({
      drafts: [{ type: 'StorageReleased' }],
    });
  });

  it.each(['detaching', 'deleting', 'waiting'] as const)('nothing while it is %s', (step) => {
    expect(releaseFileSystem.record?.({ kind: 'going', step }, releasing, NOW)).toEqual({
      kind: 'again',
      at: NOW + 10_000,
    });
  });

  it('a time ahead to look again, even when the deadline is behind', () => {
    const now = NOW + 2 * 3_600_000;
    const answer = releaseFileSystem.record?.({ kind: 'going', step: 'waiting' }, releasing, now);
    expect(answer?.kind === 'again' && answer.at).toBeGreaterThan(now);
  });
});
