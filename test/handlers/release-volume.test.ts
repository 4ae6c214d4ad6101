import { STATUSES } from '../../events';
import { releaseVolume } from '../../handlers/release-volume';
import { job, later, NOW } from '../support/builders';
import { probe, runIn, runningJob, storageIn, VOLUME } from './world';

const FIVE_MINUTES = 300_000;
const others = STATUSES.filter((status) => status !== 'releasing');
const releasing = runIn('releasing', { acceptedAt: later(-60) });
const withStorage = (overrides: Parameters<typeof storageIn>[1]) =>
  runIn('releasing', { storage: storageIn('releasing', overrides) });

describe('release-volume decides', () => {
  it('releases all volumes of the run', () => {
    expect(releaseVolume.decide(releasing, probe, NOW)).toEqual({
      kind: 'proceed',
      key: 'r1.release',
      step: { runId: 'r1', since: later(-60), mayDetach: true, volumeId: VOLUME },
    });
  });

  it.each([
    ['of which no job ran waits for whoever has the volume', [job(), job()], false],
    ['of which one job ran takes the volume from who has it', [job(), job({ ran: true })], true],
  ])('of a run %s', (_what, [a = job(), b = job()], mayDetach) => {
    const idle = { ...releasing, jobs: { a, b } };
    expect(releaseVolume.decide(idle, probe, NOW)).toMatchObject({ step: { mayDetach } });
  });

  it('releases what it has no id of: a creation may have died before it could say so', () => {
    expect(releaseVolume.decide(withStorage({ id: undefined }), probe, NOW)).toMatchObject({
      kind: 'proceed',
      step: { runId: 'r1', volumeId: undefined },
    });
  });

  it('releases what is left of a lost volume', () => {
    expect(releaseVolume.decide(withStorage({ over: 'lost' }), probe, NOW)).toMatchObject({
      kind: 'proceed',
    });
  });

  it('leaves a volume alone on which a job may be alive, until none is', () => {
    const busy = { ...releasing, jobs: { main: runningJob() } };
    expect(releaseVolume.decide(busy, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'a job of it may be alive',
    });
    expect(releaseVolume.decide({ ...busy, jobsEndedAt: later(0) }, probe, NOW)).toMatchObject({
      kind: 'proceed',
    });
  });

  it('leaves a volume alone that was lost from sight: it may be there with all that was on it', () => {
    const unseen = withStorage({ over: 'lost', unseen: true });
    expect(releaseVolume.decide(unseen, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the volume is to be kept',
    });
  });

  it.each(['released', 'kept'] as const)('ignores a volume that is %s', (over) => {
    expect(releaseVolume.decide(withStorage({ over }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `volume is ${over}`,
    });
  });

  it('leaves a volume alone that its owner keeps', () => {
    const before = runIn('releasing', { parameters: { deleteEbs: false } });
    expect(releaseVolume.decide(before, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the volume is to be kept',
    });
  });

  it.each([
    ['that nobody has an id of', { id: undefined }],
    ['that nobody has seen to be usable', { availableAt: undefined }],
  ])('releases what its owner could not keep: a volume %s', (_what, overrides) => {
    const parameters = { deleteEbs: false };
    const storage = storageIn('releasing', overrides);
    expect(
      releaseVolume.decide(runIn('releasing', { parameters, storage }), probe, NOW),
    ).toMatchObject({ kind: 'proceed' });
  });

  it('settles a lost volume even where its owner wanted to keep it', () => {
    const parameters = { deleteEbs: false };
    const storage = storageIn('releasing', { over: 'lost' });
    expect(
      releaseVolume.decide(runIn('releasing', { parameters, storage }), probe, NOW),
    ).toMatchObject({ kind: 'proceed' });
  });

  it('ignores a run on a file system', () => {
    expect(releaseVolume.decide(withStorage({ kind: 'fileSystem' }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the storage is a file system',
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    expect(releaseVolume.decide(runIn(status), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });
});

describe('release-volume records', () => {
  it('the release of what is gone', () => {
    expect(releaseVolume.record?.({ kind: 'gone' }, releasing, NOW + FIVE_MINUTES)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'StorageReleased', data: { storageId: VOLUME } }],
    });
  });

  it('at once the release of what was usable once, however short ago it was asked for', () => {
    expect(releaseVolume.record?.({ kind: 'gone' }, releasing, NOW + 1000)).toMatchObject({
      drafts: [{ type: 'StorageReleased', data: { storageId: VOLUME } }],
    });
  });

  it.each([
    ['with an id', {}],
    ['without an id', { id: undefined }],
  ])('nothing yet while EC2 may not show what was asked for a moment ago: %s', (_what, made) => {
    const unseen = withStorage({ ...made, availableAt: undefined });
    expect(releaseVolume.record?.({ kind: 'gone' }, unseen, NOW + FIVE_MINUTES - 1)).toEqual({
      kind: 'again',
      at: NOW + FIVE_MINUTES,
    });
  });

  it('the release of what was never seen, once EC2 would have shown it', () => {
    const unseen = withStorage({ availableAt: undefined });
    expect(releaseVolume.record?.({ kind: 'gone' }, unseen, NOW + FIVE_MINUTES)).toMatchObject({
      drafts: [{ type: 'StorageReleased' }],
    });
  });

  it('at once the release of storage that was never asked for', () => {
    const before = withStorage({
      ...{ id: undefined, availableAt: undefined },
      requestedAt: undefined,
    });
    expect(releaseVolume.record?.({ kind: 'gone' }, before, NOW)).toMatchObject({
      drafts: [{ type: 'StorageReleased' }],
    });
  });

  it.each(['detaching', 'deleting', 'waiting'] as const)('nothing while it is %s', (step) => {
    expect(releaseVolume.record?.({ kind: 'going', step }, releasing, NOW)).toEqual({
      kind: 'again',
      at: NOW + 2000,
    });
  });

  it('nothing after the first seconds either, at the pace of waitAfterDetachSeconds', () => {
    const before = runIn('releasing', { parameters: { waitAfterDetachSeconds: 7 } });
    const now = NOW + 60_000;
    expect(releaseVolume.record?.({ kind: 'going', step: 'detaching' }, before, now)).toEqual({
      kind: 'again',
      at: now + 7000,
    });
  });

  it('a time ahead to look again, even when the deadline is behind', () => {
    const now = NOW + 2 * 3_600_000;
    const answer = releaseVolume.record?.({ kind: 'going', step: 'detaching' }, releasing, now);
    expect(answer?.kind === 'again' && answer.at).toBeGreaterThan(now);
  });
});
