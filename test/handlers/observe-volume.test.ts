import { LAST_STATUSES } from '../../events';
import type { Volume } from '../../handlers';
import { observeVolume } from '../../handlers/observe-volume';
import { later, NOW, run } from '../support/builders';
import { probe, runIn, storageIn, VOLUME } from './world';

const FIVE_MINUTES = 300_000;
const provisioning = run({ storage: storageIn('provisioning', { id: VOLUME }) });
const seen = (state: Volume['state']): Volume[] => [
  { volumeId: VOLUME, zone: 'us-east-1a', state },
];

describe('observe-volume decides', () => {
  it.each(['ready', 'running', 'exporting', 'retained'] as const)(
    'looks at the volume of a run that is %s',
    (status) => {
      expect(observeVolume.decide(runIn(status), probe, NOW)).toEqual({
        kind: 'look',
        target: VOLUME,
      });
    },
  );

  it('looks at the new volume of a run that is provisioning', () => {
    expect(observeVolume.decide(provisioning, probe, NOW)).toMatchObject({ kind: 'look' });
  });

  it.each(['queued', 'provisioning', 'rejected'] as const)(
    'ignores a run that is %s and has no volume',
    (status) => {
      expect(observeVolume.decide(runIn(status), probe, NOW)).toEqual({
        kind: 'ignore',
        reason: 'no volume yet',
      });
    },
  );

  it('leaves a run that is releasing to its release', () => {
    expect(observeVolume.decide(runIn('releasing'), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the volume is being given back',
    });
  });

  it.each(LAST_STATUSES.filter((status) => status !== 'rejected'))(
    'ignores a run that %s: its volume is gone',
    (status) => {
      expect(observeVolume.decide(runIn(status), probe, NOW)).toEqual({
        kind: 'ignore',
        reason: 'volume is released',
      });
    },
  );

  it('ignores a loss that is known', () => {
    const storage = storageIn('running', { over: 'lost' });
    expect(observeVolume.decide(runIn('running', { storage }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'volume is lost',
    });
  });

  it('ignores a run on a file system', () => {
    const storage = storageIn('ready', { kind: 'fileSystem' });
    expect(observeVolume.decide(runIn('ready', { storage }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the storage is a file system',
    });
  });
});

describe('observe-volume judges a new volume', () => {
  it.each(['available', 'in-use'] as const)('that is %s to be usable', (state) => {
    expect(observeVolume.judge?.(seen(state), provisioning, NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'VolumeAvailable', data: { volumeId: VOLUME, zone: 'us-east-1a' } }],
    });
  });

  it.each([
    [0, 3],
    [19, 3],
    [20, 30],
  ])('after %i seconds of creation to be worth another look in %i', (seconds, pause) => {
    const now = NOW + seconds * 1000;
    expect(observeVolume.judge?.(seen('creating'), provisioning, now)).toEqual({
      kind: 'again',
      at: now + pause * 1000,
    });
  });

  it('that EC2 does not show yet to be on its way', () => {
    expect(observeVolume.judge?.([], provisioning, NOW + FIVE_MINUTES - 1)).toMatchObject({
      kind: 'again',
    });
  });

  it.each([
    ['error', seen('error'), 0],
    ['deleting', seen('deleting'), 0],
    ['gone', [], FIVE_MINUTES],
  ] as const)('that is %s to be a failure of the run', (word, volumes, afterMs) => {
    const reason = `volume ${VOLUME} is ${word} instead of available`;
    expect(observeVolume.judge?.(volumes, provisioning, NOW + afterMs)).toEqual({
      kind: 'conclude',
      drafts: [
        { type: 'StorageFailed', data: { reason } },
        { type: 'ReleaseStarted', data: { verdict: { kind: 'failed', reason } } },
      ],
    });
  });
});

describe('observe-volume judges a volume in use', () => {
  it.each(['available', 'in-use'] as const)('that is %s to be there', (state) => {
    expect(observeVolume.judge?.(seen(state), runIn('running'), NOW)).toEqual({
      kind: 'ignore',
      reason: 'volume is there',
    });
  });

  it.each([
    ['running', 'StopRequested'],
    ['ready', 'ReleaseStarted'],
    ['retained', 'ReleaseStarted'],
    ['exporting', 'ReleaseStarted'],
  ] as const)('that is gone to be lost: a run that is %s gets %s', (status, type) => {
    const reason = `volume ${VOLUME} is gone, and nobody here did that`;
    expect(observeVolume.judge?.([], runIn(status), NOW + FIVE_MINUTES)).toEqual({
      kind: 'conclude',
      drafts: [
        { type: 'StorageLost', data: { reason, unseen: true } },
        { type, data: { verdict: { kind: 'failed', reason } } },
      ],
    });
  });

  it.each(['error', 'deleting'] as const)('that is %s to be lost at once', (state) => {
    expect(observeVolume.judge?.(seen(state), runIn('running'), NOW)).toMatchObject({
      drafts: [{ type: 'StorageLost', data: { unseen: false } }, { type: 'StopRequested' }],
    });
  });

  it('that is not shown yet to be there, while it is new', () => {
    const storage = storageIn('ready', { requestedAt: later(0) });
    const before = runIn('ready', { storage });
    expect(observeVolume.judge?.([], before, NOW + FIVE_MINUTES - 1)).toMatchObject({
      kind: 'ignore',
    });
  });
});
