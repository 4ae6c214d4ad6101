import { ACTIVE_STATUSES, LAST_STATUSES, type Run, STATUSES } from '../../events';
import { alarmsOf, isDue, type LeakItem, leakOf } from '../../events/leaks';
import { runIn, storageIn, VOLUME } from '../handlers/world';
import { later, NOW } from '../support/builders';

const HOUR = 3600;
/** Two hours after the builders' runs began and ended. */
const LATER = NOW + 2 * HOUR * 1000;
const OTHER = 'vol-0eeeeeeeeeeeeeee0';

const storage = (overrides: Partial<Parameters<typeof leakOf>[0]> = {}) => ({
  ...{ storageId: VOLUME, runId: 'r1', createdAt: later(0), isKept: false },
  ...overrides,
});
const findingOf = (found: Run | undefined, overrides: Parameters<typeof storage>[0] = {}) =>
  leakOf(storage(overrides), found, LATER).finding;
const released = runIn('succeeded');
const ended = (changes: Partial<Run['storage']>, overrides: Partial<Run> = {}) =>
  runIn('failed', { storage: storageIn('failed', changes), ...overrides });
const ENDED = LAST_STATUSES.filter((status) => status !== 'rejected');

describe('storage', () => {
  it.each([
    ['a run that is over', released],
    ['a run that lives', runIn('running')],
    ['no run', undefined],
  ])('of %s is its owner’s where its tag says so', (_whose, found) => {
    expect(findingOf(found, { isKept: true })).toBe('kept');
  });

  it.each([
    [HOUR + 1, 'young'],
    [HOUR, 'quarantined'],
  ])('that has no row and was made at second %i of 7200 is %s', (second, finding) => {
    expect(findingOf(undefined, { createdAt: later(second) })).toBe(finding);
  });

  it('that is young is not judged, whatever its run says', () => {
    expect(findingOf(released, { createdAt: later(2 * HOUR - 1) })).toBe('young');
  });

  it('without a row says which run its tag names, and what to do', () => {
    expect(leakOf(storage(), undefined, LATER).reason).toBe(
      'the table has no run "r1", which its tag names; nothing deletes it by itself: delete it by hand if it is nobody’s',
    );
  });
});

describe('storage of a run that lives', () => {
  const own = ACTIVE_STATUSES.filter((status) => runIn(status).storage.id);

  it.each(own)('and is %s is owned', (status) => {
    expect(findingOf(runIn(status))).toBe('owned');
  });

  it.each(ACTIVE_STATUSES)('and is %s is extra where the run has another', (status) => {
    expect(findingOf(runIn(status), { storageId: OTHER })).toBe('extra');
  });

  it('is owned until the run is over, though it is released', () => {
    const over = storageIn('releasing', { over: 'released' });
    expect(findingOf(runIn('releasing', { storage: over }))).toBe('owned');
  });

  it('is extra where the table knows of none', () => {
    expect(leakOf(storage(), runIn('provisioning'), LATER)).toEqual({
      finding: 'extra',
      reason:
        'run r1 is provisioning and has none in the table: its own release finds this one by its tag',
    });
  });
});

describe('storage of a run that is over', () => {
  it.each(ENDED)('and %s is leaked where it was released', (status) => {
    expect(leakOf(storage(), runIn(status), LATER)).toEqual({
      finding: 'leaked',
      reason: `run r1 is ${status} since ${later(0)} and its storage is released, but this is still there`,
      overSince: later(0),
    });
  });

  it('is leaked where it is not the storage that the run had', () => {
    expect(findingOf(released, { storageId: OTHER })).toBe('leaked');
  });

  it('is leaked where no storage was ever known to the run', () => {
    expect(findingOf(ended({ id: undefined, availableAt: undefined }))).toBe('leaked');
  });

  it.each([
    ['kept', ended({ over: 'kept' })],
    ['lost', ended({ over: 'lost' })],
    ['released, but was lost from sight before', ended({ unseen: true })],
    ['not said to be over', ended({ over: undefined })],
    ['rejected with its run', runIn('rejected')],
    ['released, but was to be kept', ended({}, { parameters: { deleteEbs: false } })],
  ])('is in quarantine where it is %s', (_what, found) => {
    expect(findingOf(found)).toBe('quarantined');
  });

  it.each([
    [HOUR, 'leaked'],
    [HOUR + 1, 'quarantined'],
  ])('and was made %i seconds after that is %s', (seconds, finding) => {
    const made = storage({ createdAt: later(seconds) });
    expect(leakOf(made, released, NOW + 9 * HOUR * 1000).finding).toBe(finding);
  });
});

describe('storage that was made before its run was accepted', () => {
  const acceptedAt = later(1800);

  it.each(STATUSES)('is in quarantine, be the run %s', (status) => {
    expect(findingOf(runIn(status, { acceptedAt }), { createdAt: later(1499) })).toBe(
      'quarantined',
    );
  });

  it.each([
    [301, 'quarantined'],
    [300, 'leaked'],
    [0, 'leaked'],
  ])('by %i seconds is %s: clocks may differ by five minutes', (seconds, finding) => {
    const found = runIn('succeeded', { acceptedAt });
    expect(findingOf(found, { createdAt: later(1800 - seconds) })).toBe(finding);
  });

  it('says when it was made, and what to do', () => {
    expect(leakOf(storage(), runIn('failed', { acceptedAt }), LATER).reason).toBe(
      `it was made ${later(0)}, before run r1 of its tag was accepted; nothing deletes it by itself: delete it by hand if it is nobody’s`,
    );
  });

  it('is its owner’s where its tag says so, and is not judged while it is young', () => {
    const late = runIn('succeeded', { acceptedAt: later(3 * HOUR) });
    expect([
      findingOf(late, { isKept: true }),
      findingOf(late, { createdAt: later(HOUR + 1) }),
    ]).toEqual(['kept', 'young']);
  });
});

describe('leaked storage', () => {
  const at = (firstSeenAt: string, overSince: string) => isDue({ firstSeenAt, overSince }, LATER);

  it.each([
    ['an hour ago', HOUR, true],
    ['59 minutes ago', HOUR + 60, false],
    ['a second less than an hour ago', HOUR + 1, false],
  ])('that was first seen %s: is it due?', (_when, second, due) => {
    expect(at(later(second), later(0))).toBe(due);
  });

  it('is not due while its run has not been over for an hour', () => {
    expect(at(later(0), later(HOUR + 1))).toBe(false);
  });
});

describe('what must be told at once', () => {
  const item = (finding: LeakItem['finding'], overrides: Partial<LeakItem> = {}): LeakItem => ({
    ...{ storageId: VOLUME, kind: 'volume', runId: 'r1', finding, reason: '' },
    ...{ ageMs: 0, pricePerHour: 0.25, action: 'none' },
    ...overrides,
  });
  const many = (count: number, finding: LeakItem['finding']) =>
    Array.from({ length: count }, () => item(finding));
  const none = { seen: 9, due: 0, unjudged: 0 };

  it.each([
    ['an empty cloud', [], none],
    ['what is leaked, while it can be deleted', many(5, 'leaked'), { ...none, due: 5 }],
    ['a few that a run’s own release will find', many(5, 'extra'), none],
  ])('is not %s', (_what, items, counts) => {
    expect(alarmsOf(items, counts)).toEqual([]);
  });

  it.each([
    ['storage in quarantine', many(1, 'quarantined'), none, '1 of 9 in quarantine, $0.25/h'],
    ['many that are not their run’s', many(6, 'extra'), none, '6 of 9 not the storage of'],
    ['too much to delete', many(6, 'leaked'), { ...none, due: 6 }, '6 of 9 due to be deleted'],
    ['what was not deleted', [item('leaked', { action: 'refused' })], none, '1 of 9 not deleted'],
    ['what nobody could judge', [], { ...none, unjudged: 2 }, '2 of 9 could not be judged'],
  ])('is %s', (_what, items, counts, beginning) => {
    expect(alarmsOf(items, counts)).toEqual([expect.stringContaining(beginning)]);
  });
});
