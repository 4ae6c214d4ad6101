import { LAST_STATUSES, type Run } from '../../events';
import { foresee } from '../../handlers';
import { observeFileSystem } from '../../handlers/observe-file-system';
import { FILE_SYSTEM, later, lustreRun, NOW } from '../support/builders';
import {
  lustreRunIn,
  lustreStorageIn,
  MADE,
  probe,
  runIn,
  seenAssociation,
  seenFileSystem,
  seenTask,
} from './world';

const MINUTE = 60_000;
const USED = ['ready', 'running', 'exporting', 'retained'] as const;
const provisioning = lustreRun({ storage: lustreStorageIn('provisioning', MADE) });
const misconfigured = seenFileSystem({
  associations: [seenAssociation({ lifecycle: 'MISCONFIGURED', failure: 'access denied' })],
});

describe('observe-file-system decides', () => {
  it.each(USED)('looks at the file system of a run that is %s', (status) => {
    expect(observeFileSystem.decide(lustreRunIn(status), probe, NOW)).toEqual({
      kind: 'look',
      target: FILE_SYSTEM,
    });
  });

  it('looks at the new file system of a run that is provisioning', () => {
    expect(observeFileSystem.decide(provisioning, probe, NOW)).toMatchObject({ kind: 'look' });
  });

  it.each(['queued', 'provisioning', 'rejected'] as const)(
    'ignores a run that is %s and has no file system',
    (status) => {
      expect(observeFileSystem.decide(lustreRunIn(status), probe, NOW)).toEqual({
        kind: 'ignore',
        reason: 'no file system yet',
      });
    },
  );

  it('leaves a run that waits for room to its discarding', () => {
    const storage = lustreStorageIn('queued', MADE);
    expect(observeFileSystem.decide(lustreRunIn('queued', { storage }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the file system is being given back',
    });
  });

  it('leaves a run that is releasing to its release', () => {
    expect(observeFileSystem.decide(lustreRunIn('releasing'), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the file system is being given back',
    });
  });

  it.each(LAST_STATUSES.filter((status) => status !== 'rejected'))(
    'ignores a run that %s: its file system is gone',
    (status) => {
      expect(observeFileSystem.decide(lustreRunIn(status), probe, NOW)).toEqual({
        kind: 'ignore',
        reason: 'file system is released',
      });
    },
  );

  it('ignores a loss that is known', () => {
    const storage = lustreStorageIn('running', { over: 'lost' });
    expect(observeFileSystem.decide(lustreRunIn('running', { storage }), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'file system is lost',
    });
  });

  it('ignores a run on a volume', () => {
    expect(observeFileSystem.decide(runIn('running'), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'the storage is a volume',
    });
  });
});

describe('observe-file-system judges a new file system', () => {
  const judged = (
    seen: Parameters<NonNullable<typeof observeFileSystem.judge>>[0],
    run = provisioning,
    now = NOW,
  ) => observeFileSystem.judge?.(seen, run, now);

  const withInput = (storage: Partial<Run['storage']> = {}) =>
    lustreRun({
      parameters: { inputRepositoryPath: 's3://data/in' },
      storage: lustreStorageIn('provisioning', {
        ...MADE,
        links: { ...MADE.links, '/input': 'dra-input' },
        ...storage,
      }),
    });
  /** Both paths linked, the import on its way; one of the paths out of reach where it is named. */
  const linked = (task: Parameters<typeof seenTask>[0] = {}, misconfiguredPath?: string) =>
    seenFileSystem({
      associations: (['/scratch', '/input'] as const).map((path) =>
        seenAssociation({
          ...{ path, associationId: `dra-${path.slice(1)}` },
          lifecycle: path === misconfiguredPath ? 'MISCONFIGURED' : 'AVAILABLE',
        }),
      ),
      tasks: [
        seenTask({ type: 'IMPORT_METADATA_FROM_REPOSITORY', lifecycle: 'EXECUTING', ...task }),
      ],
    });

  it('that is available and linked to be usable', () => {
    expect(judged([seenFileSystem()])).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'FileSystemAvailable', data: { fileSystemId: FILE_SYSTEM } }],
    });
  });

  it.each([
    [0, 30],
    [3, 10],
    [15, 30],
  ])('after %i minutes of creation to be worth another look in %i s', (minutes, seconds) => {
    const now = NOW + minutes * MINUTE;
    expect(judged([seenFileSystem({ lifecycle: 'CREATING' })], provisioning, now)).toEqual({
      kind: 'again',
      at: now + seconds * 1000,
    });
  });

  it('that FSx does not show yet to be on its way', () => {
    expect(judged([], provisioning, NOW + 5 * MINUTE - 1)).toMatchObject({ kind: 'again' });
  });

  it.each([
    ['that is gone', [], 5 * MINUTE, `file system ${FILE_SYSTEM} is gone`],
    [
      'that failed',
      [seenFileSystem({ lifecycle: 'FAILED', failure: 'the security group is closed' })],
      0,
      `file system ${FILE_SYSTEM} is FAILED instead of available: the security group is closed`,
    ],
    [
      'that somebody deletes',
      [seenFileSystem({ lifecycle: 'DELETING' })],
      0,
      `file system ${FILE_SYSTEM} is DELETING instead of available`,
    ],
    [
      'whose association failed',
      [seenFileSystem({ associations: [seenAssociation({ lifecycle: 'FAILED' })] })],
      0,
      'the association of /scratch with S3 is FAILED',
    ],
  ] as const)('%s to be a failure of the run', (_what, seen, afterMs, reason) => {
    expect(judged(seen, provisioning, NOW + afterMs)).toEqual({
      kind: 'conclude',
      drafts: [
        { type: 'StorageFailed', data: { reason } },
        { type: 'ReleaseStarted', data: { verdict: { kind: 'failed', reason } } },
      ],
    });
  });

  it('that failed for want of room to be asked for again, and names it: it has to go first', () => {
    const seen = seenFileSystem({ lifecycle: 'FAILED', noRoom: true, failure: 'no capacity' });
    expect(judged([seen])).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'StorageDeferred',
          data: {
            reason: `file system ${FILE_SYSTEM} is FAILED instead of available: no capacity`,
            retryAt: later(60),
            storageId: FILE_SYSTEM,
          },
        },
      ],
    });
  });

  it('that cannot reach S3 to be misconfigured, once', () => {
    const known = lustreRun({
      storage: lustreStorageIn('provisioning', {
        ...MADE,
        misconfigured: { path: '/scratch', since: later(0) },
      }),
    });
    const reason = 'the association of /scratch with S3 is MISCONFIGURED: access denied';
    expect([judged([misconfigured]), judged([misconfigured], known, NOW + MINUTE)]).toEqual([
      {
        kind: 'conclude',
        drafts: [{ type: 'RepositoryMisconfigured', data: { path: '/scratch', reason } }],
      },
      { kind: 'again', at: NOW + MINUTE + 30_000 },
    ]);
  });

  it('that reaches S3 again to be recovered, while it is still coming', () => {
    const importing = withInput({ misconfigured: { path: '/scratch', since: later(0) } });
    expect(judged([linked()], importing, NOW + 5 * MINUTE)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'RepositoryRecovered', data: { path: '/scratch' } }],
    });
  });

  it('that never was misconfigured to have nothing to recover from', () => {
    expect(judged([linked()], withInput(), NOW + 5 * MINUTE)).toEqual({
      kind: 'again',
      at: NOW + 5 * MINUTE + 10_000,
    });
  });

  it('that is usable again to be just that', () => {
    const known = withInput({ misconfigured: { path: '/input', since: later(0) } });
    const seen = linked({ lifecycle: 'SUCCEEDED' });
    expect(judged([seen], known, NOW + 5 * MINUTE)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'FileSystemAvailable', data: { fileSystemId: FILE_SYSTEM } }],
    });
  });

  it.each([
    ['/input', '/scratch'],
    ['/scratch', '/input'],
  ])('to be misconfigured at %s although that is known of %s', (path, before) => {
    const known = withInput({ misconfigured: { path: before, since: later(0) } });
    const reason = `the association of ${path} with S3 is MISCONFIGURED`;
    // Long after the other one was seen so: each path has 15 minutes of its own.
    expect(judged([linked({}, path)], known, NOW + 20 * MINUTE)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'RepositoryMisconfigured', data: { path, reason } }],
    });
  });

  it('that recovered, and cannot reach S3 again, to have another 15 minutes', () => {
    let run = withInput();
    const typesAt = (minutes: number, path?: string) => {
      const now = NOW + minutes * MINUTE;
      const answer = judged([linked({}, path)], run, now);
      if (answer?.kind !== 'conclude') return answer?.kind;
      run = foresee(run, answer.drafts, now);
      return answer.drafts.map(({ type }) => type);
    };
    expect([
      typesAt(0, '/scratch'),
      typesAt(14, '/scratch'),
      typesAt(14.5),
      typesAt(16, '/scratch'),
      typesAt(30.9, '/scratch'),
      typesAt(31, '/scratch'),
    ]).toEqual([
      ['RepositoryMisconfigured'],
      'again',
      ['RepositoryRecovered'],
      ['RepositoryMisconfigured'],
      'again',
      ['StorageFailed', 'ReleaseStarted'],
    ]);
  });

  it('that did not heal within 15 minutes to be a failure of the run', () => {
    const known = lustreRun({
      storage: lustreStorageIn('provisioning', {
        ...MADE,
        misconfigured: { path: '/scratch', since: later(0) },
      }),
    });
    expect(judged([misconfigured], known, NOW + 15 * MINUTE)).toMatchObject({
      drafts: [{ type: 'StorageFailed' }, { type: 'ReleaseStarted' }],
    });
  });

  it('of another run not at all', () => {
    expect(judged([seenFileSystem({ fileSystemId: 'fs-2' })])).toEqual({
      kind: 'ignore',
      reason: 'not its own',
    });
  });
});

describe('observe-file-system judges a file system in use', () => {
  it.each(['AVAILABLE', 'UPDATING', 'MISCONFIGURED', 'CREATING', 'PAUSED'])(
    'that is %s to be there: a new word is no loss',
    (lifecycle) => {
      for (const status of USED) {
        const seen = [seenFileSystem({ lifecycle })];
        expect(observeFileSystem.judge?.(seen, lustreRunIn(status), NOW)).toEqual({
          kind: 'ignore',
          reason: 'file system is there',
        });
      }
    },
  );

  const ENDS = [
    ['running', 'StopRequested'],
    ['ready', 'ReleaseStarted'],
    ['exporting', 'ReleaseStarted'],
    ['retained', 'ReleaseStarted'],
  ] as const;
  const LOSSES = [
    ['gone', []],
    ['FAILED', [seenFileSystem({ lifecycle: 'FAILED' })]],
    ['FAILED: a server died', [seenFileSystem({ lifecycle: 'FAILED', failure: 'a server died' })]],
    ['DELETING', [seenFileSystem({ lifecycle: 'DELETING' })]],
  ] as const;
  const cases = ENDS.flatMap(([status, type]) =>
    LOSSES.map(([state, seen]) => ({ status, type, state, seen })),
  );

  it.each(cases)('that is $state to be lost: a run that is $status gets $type', (each) => {
    const reason = `file system ${FILE_SYSTEM} is ${each.state}, and nobody here did that`;
    const longAfter = NOW + 30 * MINUTE;
    const verdict = { kind: 'failed', reason };
    expect(observeFileSystem.judge?.([...each.seen], lustreRunIn(each.status), longAfter)).toEqual({
      kind: 'conclude',
      drafts: [
        { type: 'StorageLost', data: { reason, unseen: each.state === 'gone' } },
        { type: each.type, data: { verdict } },
      ],
    });
  });

  it.each(['queued', 'releasing'] as const)(
    'that is gone to be as it should where the run is %s by now',
    (status) => {
      const storage = lustreStorageIn(status, MADE);
      expect(observeFileSystem.judge?.([], lustreRunIn(status, { storage }), NOW)).toEqual({
        kind: 'ignore',
        reason: `run is ${status}`,
      });
    },
  );
});
