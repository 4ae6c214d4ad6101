import fc from 'fast-check';
import { exportNewsOf } from '../../handlers';
import { seenTask } from './world';

const all = { total: 9, succeeded: 9, failed: 0 };
const some = { total: 9, succeeded: 7, failed: 2 };

describe('an export task', () => {
  it('that succeeded without a failed file is the proof, with the number of files', () => {
    expect(exportNewsOf(seenTask({ counts: all }))).toEqual({ kind: 'proven', exportedCount: 9 });
  });

  it('that had nothing to export is one, too', () => {
    const counts = { total: 0, succeeded: 0, failed: 0 };
    expect(exportNewsOf(seenTask({ counts }))).toEqual({ kind: 'proven', exportedCount: 0 });
  });

  it('that succeeded, and has no counts yet, is awaited: they come with the next refresh', () => {
    expect(exportNewsOf(seenTask({ counts: undefined }))).toEqual({ kind: 'under-way' });
  });

  it.each(['PENDING', 'EXECUTING', 'CANCELING', 'PAUSED', 'succeeded', ''])(
    'that is %j is under way, with what is done of it: a new word is no failure',
    (lifecycle) => {
      expect([
        exportNewsOf(seenTask({ lifecycle, counts: some })),
        exportNewsOf(seenTask({ lifecycle, counts: undefined })),
      ]).toEqual([
        { kind: 'under-way', progress: { total: 9, done: 9 } },
        { kind: 'under-way', progress: undefined },
      ]);
    },
  );

  it.each([
    ['SUCCEEDED', some, undefined, 'SUCCEEDED, 2 of 9 files failed'],
    ['SUCCEEDED', some, 'access denied', 'SUCCEEDED, 2 of 9 files failed: access denied'],
    ['FAILED', some, undefined, 'FAILED, 2 of 9 files failed'],
    ['FAILED', some, 'access denied', 'FAILED, 2 of 9 files failed: access denied'],
    ['FAILED', all, 'access denied', 'FAILED, access denied'],
    ['FAILED', all, undefined, 'FAILED'],
    ['FAILED', undefined, undefined, 'FAILED'],
    ['CANCELED', all, undefined, 'CANCELED'],
    ['CANCELED', undefined, 'somebody did that', 'CANCELED, somebody did that'],
  ])('that is %s with counts %j (%s) has failed: %s', (lifecycle, counts, failure, is) => {
    expect(exportNewsOf(seenTask({ lifecycle, counts, failure }))).toMatchObject({
      kind: 'failed',
      reason: `the export task is ${is}`,
    });
  });

  it.each([
    [true, 'where files failed', 'FAILED', some],
    [true, 'where files failed although it succeeded', 'SUCCEEDED', some],
    [true, 'where nobody knows whether files failed', 'FAILED', undefined],
    [false, 'where none failed', 'FAILED', all],
    [false, 'where none failed before it was stopped', 'CANCELED', all],
  ])('that failed has a list of files: %s, %s', (hasReport, _where, lifecycle, counts) => {
    expect(exportNewsOf(seenTask({ lifecycle, counts }))).toMatchObject({ hasReport });
  });
});

describe('whatever FSx says of an export task', () => {
  const word = fc.oneof(
    fc.constantFrom(
      ...['PENDING', 'EXECUTING', 'SUCCEEDED', 'SUCCEEDED', 'FAILED', 'CANCELING', 'CANCELED'],
      ...['SUCCEEDED_WITH_FAILURES', 'succeeded', 'AVAILABLE', ''],
    ),
    fc.string({ maxLength: 12 }),
  );
  const count = fc.oneof(fc.nat({ max: 3 }), fc.integer(), fc.constantFrom(Number.NaN, 0.5));
  const counts = fc.option(fc.record({ total: count, succeeded: count, failed: count }), {
    nil: undefined,
  });
  const failure = fc.option(fc.string(), { nil: undefined });
  const task = fc
    .record({ lifecycle: word, counts, failure })
    .map((overrides) => seenTask(overrides));

  it('it is proven where it succeeded and counts no failed file, and nowhere else', () => {
    fc.assert(
      fc.property(task, (each) => {
        const isProof = each.lifecycle === 'SUCCEEDED' && each.counts?.failed === 0;
        expect(exportNewsOf(each).kind === 'proven').toBe(isProof);
      }),
      { numRuns: 5_000 },
    );
  });

  it('it is a failure only where FSx has ended it', () => {
    fc.assert(
      fc.property(task, (each) => {
        if (exportNewsOf(each).kind !== 'failed') return;
        expect(['SUCCEEDED', 'FAILED', 'CANCELED']).toContain(each.lifecycle);
      }),
      { numRuns: 5_000 },
    );
  });
});
