import fc from 'fast-check';
import { apply, RepositoryLinked, type Run, type Storage } from '../../events';
import { type InspectedFileSystem, lossOf, readinessOf, type SeenTask } from '../../handlers';
import { FILE_SYSTEM, later, lustreRun, NOW } from '../support/builders';
import { lustreStorageIn, MADE, seenAssociation, seenFileSystem, seenTask } from './world';

const MINUTE = 60_000;
const IMPORT = 'IMPORT_METADATA_FROM_REPOSITORY';

/** A run whose file system was asked for, and linked; with input where it says so. */
function made(overrides: Partial<Storage> = {}, inputs: { readonly input?: boolean } = {}): Run {
  const links = inputs.input ? { '/scratch': 'dra-scratch', '/input': 'dra-input' } : MADE.links;
  return lustreRun({
    parameters: inputs.input ? { inputRepositoryPath: 's3://data/in' } : {},
    storage: lustreStorageIn('provisioning', { ...MADE, links, ...overrides }),
  });
}

const input = seenAssociation({ associationId: 'dra-input', path: '/input' });
const imported = (overrides: Partial<SeenTask> = {}): SeenTask =>
  seenTask({ taskId: 'task-9', type: IMPORT, ...overrides });
const withInput = (...tasks: readonly SeenTask[]) =>
  seenFileSystem({ associations: [seenAssociation(), input], tasks });

const refused = (reason: string, noRoom = false) => ({ kind: 'refused', noRoom, reason });
const coming = { kind: 'coming' };
const usable = { kind: 'usable' };

describe('a new file system', () => {
  it('is usable once it and its association are available', () => {
    expect(readinessOf(seenFileSystem(), made(), NOW)).toEqual(usable);
  });

  it('is on its way while FSx may not show it', () => {
    expect(readinessOf(undefined, made(), NOW + 5 * MINUTE - 1)).toEqual(coming);
  });

  it('is gone when FSx does not show it after that', () => {
    expect(readinessOf(undefined, made(), NOW + 5 * MINUTE)).toEqual(
      refused(`file system ${FILE_SYSTEM} is gone`),
    );
  });

  it.each(['CREATING', 'UPDATING', 'MISCONFIGURED', 'PAUSED', 'available', ''])(
    'is on its way while FSx says %j: only one word is good',
    (lifecycle) => {
      expect(readinessOf(seenFileSystem({ lifecycle }), made(), NOW + 60 * MINUTE)).toEqual(coming);
    },
  );

  it.each(['FAILED', 'DELETING'])('is refused when it is %s, with what FSx says', (lifecycle) => {
    const failure = 'the security group is closed';
    const is = `file system ${FILE_SYSTEM} is ${lifecycle} instead of available`;
    expect([
      readinessOf(seenFileSystem({ lifecycle }), made(), NOW),
      readinessOf(seenFileSystem({ lifecycle, failure }), made(), NOW),
    ]).toEqual([refused(is), refused(`${is}: ${failure}`)]);
  });

  it('is refused for want of room where it failed for that', () => {
    const seen = seenFileSystem({ lifecycle: 'FAILED', noRoom: true });
    expect(readinessOf(seen, made(), NOW)).toMatchObject({ kind: 'refused', noRoom: true });
  });

  it('that failed is refused whatever its associations are', () => {
    const associations = [seenAssociation({ lifecycle: 'MISCONFIGURED' })];
    const seen = seenFileSystem({ lifecycle: 'FAILED', associations });
    expect(readinessOf(seen, made(), NOW).kind).toBe('refused');
  });
});

describe('the association of a new file system', () => {
  const seen = (lifecycle: string, failure?: string) =>
    seenFileSystem({ associations: [seenAssociation({ lifecycle, failure })] });

  it.each(['CREATING', 'UPDATING', 'PAUSED', 'available', ''])(
    'is awaited while it is %j: only one word is good',
    (lifecycle) => {
      expect(readinessOf(seen(lifecycle), made(), NOW + 60 * MINUTE)).toEqual(coming);
    },
  );

  it('is awaited where nobody has asked for it yet', () => {
    expect(readinessOf(seenFileSystem(), made({ links: undefined }), NOW)).toEqual(coming);
  });

  it('is awaited where only that of the other path is there', () => {
    const run = made({ links: MADE.links }, { input: true });
    expect(
      readinessOf(
        seenFileSystem(),
        { ...run, storage: { ...run.storage, links: MADE.links } },
        NOW,
      ),
    ).toEqual(coming);
  });

  it.each([
    ['FAILED', undefined, 'the association of /scratch with S3 is FAILED'],
    ['DELETING', undefined, 'the association of /scratch with S3 is DELETING'],
    ['FAILED', 'no such bucket', 'the association of /scratch with S3 is FAILED: no such bucket'],
  ])('is refused when it is %s (%s)', (lifecycle, failure, reason) => {
    expect(readinessOf(seen(lifecycle, failure), made(), NOW)).toEqual(refused(reason));
  });

  it('of another id is not its own', () => {
    const associations = [seenAssociation({ associationId: 'dra-other' })];
    expect(readinessOf(seenFileSystem({ associations }), made(), NOW)).toEqual(coming);
  });

  it('is gone when FSx does not show it five minutes after it was asked for', () => {
    const none = seenFileSystem({ associations: [] });
    const run = made({ linkedAt: later(120) });
    expect([
      readinessOf(none, run, NOW + 7 * MINUTE - 1),
      readinessOf(none, run, NOW + 7 * MINUTE),
    ]).toEqual([coming, refused('the association of /scratch with S3 is gone')]);
  });

  it('is awaited where it was asked for a moment ago, however old the file system is', () => {
    const linked = RepositoryLinked.of({
      ...{ associationId: 'dra-scratch', path: '/scratch', direction: 'both' },
    });
    const at = { time: later(600), id: 'r1', mode: 'taskExport' } as const;
    const run = apply(made({ links: undefined }), linked, at);
    expect(readinessOf(seenFileSystem({ associations: [] }), run, NOW + 601_000)).toEqual(coming);
  });

  it('that another one was asked for after has as long as that: they are made one by one', () => {
    const run = made({ linkedAt: later(240) }, { input: true });
    const none = seenFileSystem({ associations: [] });
    expect([
      readinessOf(none, run, NOW + 9 * MINUTE - 1),
      readinessOf(none, run, NOW + 9 * MINUTE).kind,
    ]).toEqual([coming, 'refused']);
  });

  it('may be misconfigured, and says why', () => {
    expect(readinessOf(seen('MISCONFIGURED', 'access denied'), made(), NOW)).toEqual({
      kind: 'misconfigured',
      path: '/scratch',
      reason: 'the association of /scratch with S3 is MISCONFIGURED: access denied',
    });
  });

  it('may be misconfigured for 15 minutes, and not a millisecond longer', () => {
    const run = made({ misconfigured: { path: '/scratch', since: later(0) } });
    expect([
      readinessOf(seen('MISCONFIGURED'), run, NOW + 15 * MINUTE - 1).kind,
      readinessOf(seen('MISCONFIGURED'), run, NOW + 15 * MINUTE),
    ]).toEqual([
      'misconfigured',
      refused(
        'the association of /scratch with S3 is MISCONFIGURED, and did not heal within 15 minutes',
      ),
    ]);
  });

  it.each([
    ['/scratch', '/input'],
    ['/input', '/scratch'],
  ])('may be misconfigured for 15 minutes of its own: %s after %s', (path, before) => {
    const run = made({ misconfigured: { path: before, since: later(0) } }, { input: true });
    const associations = [seenAssociation(), input].map((each) =>
      each.path === path ? { ...each, lifecycle: 'MISCONFIGURED' } : each,
    );
    expect(readinessOf(seenFileSystem({ associations }), run, NOW + 60 * MINUTE)).toMatchObject({
      ...{ kind: 'misconfigured', path },
    });
  });

  it('is usable once it has healed, however late that is', () => {
    const run = made({ misconfigured: { path: '/scratch', since: later(0) } });
    expect(readinessOf(seenFileSystem(), run, NOW + 60 * MINUTE)).toEqual(usable);
  });

  it('is asked about path by path: the second may fail, too', () => {
    const associations = [seenAssociation(), { ...input, lifecycle: 'FAILED' }];
    expect(readinessOf(seenFileSystem({ associations }), made({}, { input: true }), NOW)).toEqual(
      refused('the association of /input with S3 is FAILED'),
    );
  });
});

describe('the import of a new file system', () => {
  const run = made({}, { input: true });

  it('is done when its task has succeeded', () => {
    expect(readinessOf(withInput(imported()), run, NOW)).toEqual(usable);
  });

  it.each([
    ['nobody shows a task yet', []],
    ['its task waits', [imported({ lifecycle: 'PENDING', counts: undefined })]],
    ['its task works', [imported({ lifecycle: 'EXECUTING' })]],
    ['its task is called something new', [imported({ lifecycle: 'PAUSED' })]],
    ['only an export has succeeded', [seenTask()]],
    ['only a task of a new kind has succeeded', [seenTask({ type: 'RELEASE_DATA' })]],
  ])('is awaited while %s', (_what, tasks) => {
    expect(readinessOf(withInput(...tasks), run, NOW)).toEqual(coming);
  });

  it('is awaited for each place that has something to show', () => {
    const two: Run = {
      ...run,
      parameters: { ...run.parameters, dataRepositoryPath: 's3://data/out' },
    };
    const second = imported({ taskId: 'task-10' });
    expect([
      readinessOf(withInput(imported()), two, NOW),
      readinessOf(withInput(imported(), second), two, NOW),
    ]).toEqual([coming, usable]);
  });

  it.each([
    ['FAILED', undefined, undefined, 'the import from S3 is FAILED'],
    ['FAILED', undefined, 'access denied', 'the import from S3 is FAILED: access denied'],
    ['CANCELED', undefined, undefined, 'the import from S3 is CANCELED'],
    [
      'FAILED',
      { total: 9, succeeded: 7, failed: 2 },
      'access denied',
      'the import from S3 is FAILED, 2 of 9 files failed: access denied',
    ],
    [
      'SUCCEEDED',
      { total: 9, succeeded: 8, failed: 1 },
      undefined,
      'the import from S3 is SUCCEEDED, 1 of 9 files failed',
    ],
  ])('is refused when it is %s, with counts %j (%s)', (lifecycle, counts, failure, reason) => {
    const task = imported({ lifecycle, counts, failure });
    expect(readinessOf(withInput(task), run, NOW)).toEqual(refused(reason));
  });
});

describe('a file system that was usable', () => {
  it.each(['AVAILABLE', 'UPDATING', 'CREATING', 'MISCONFIGURED', 'PAUSED', 'failed', ''])(
    'is there while FSx says %j: a new word is no loss',
    (lifecycle) => {
      expect(lossOf(seenFileSystem({ lifecycle }), FILE_SYSTEM)).toBeUndefined();
    },
  );

  it.each([
    ['gone', undefined],
    ['FAILED', seenFileSystem({ lifecycle: 'FAILED' })],
    ['FAILED: a server died', seenFileSystem({ lifecycle: 'FAILED', failure: 'a server died' })],
    ['DELETING', seenFileSystem({ lifecycle: 'DELETING' })],
  ])('is lost where it is %s, and its id is said', (state, seen) => {
    expect(lossOf(seen, FILE_SYSTEM)).toBe(
      `file system ${FILE_SYSTEM} is ${state}, and nobody here did that`,
    );
  });
});

describe('whatever FSx says of a new file system', () => {
  const word = fc.oneof(
    fc.constantFrom('AVAILABLE', 'CREATING', 'FAILED', 'MISCONFIGURED', 'SUCCEEDED', 'EXECUTING'),
    fc.string({ maxLength: 8 }),
  );
  const count = fc.nat({ max: 3 });
  const counts = fc.option(fc.record({ total: count, succeeded: count, failed: count }), {
    nil: undefined,
  });
  const tasks = fc.array(
    fc.record({ lifecycle: word, counts, type: fc.constantFrom(IMPORT, 'EXPORT_TO_REPOSITORY') }),
    { maxLength: 3 },
  );

  it('it is usable only where all that was asked for is available, and imported without a failure', () => {
    fc.assert(
      fc.property(fc.tuple(word, word, word), tasks, fc.boolean(), (words, drawn, hasInput) => {
        const [lifecycle, scratch, other] = words;
        const seen: InspectedFileSystem = seenFileSystem({
          lifecycle,
          associations: [seenAssociation({ lifecycle: scratch }), { ...input, lifecycle: other }],
          tasks: drawn.map((each, index) => seenTask({ ...each, taskId: `task-${index}` })),
        });
        const imports = drawn.filter(({ type }) => type === IMPORT);
        const isGood =
          [lifecycle, scratch, ...(hasInput ? [other] : [])].every(
            (each) => each === 'AVAILABLE',
          ) &&
          imports.every((each) => (each.counts?.failed ?? 0) === 0) &&
          imports.every((each) => each.lifecycle !== 'FAILED') &&
          (!hasInput || imports.some((each) => each.lifecycle === 'SUCCEEDED'));
        const { kind } = readinessOf(seen, made({}, { input: hasInput }), NOW);
        expect(kind === 'usable').toBe(isGood);
      }),
      { numRuns: 2_000 },
    );
  });
});
