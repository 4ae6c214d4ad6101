import { type Claimant, claim, leave, type Marker, placeOf } from '../../sim/claim';

const claimant = (overrides: Partial<Claimant> = {}): Claimant => ({
  ...{ runId: 'r1', job: 'main', submission: 1, jobId: 'job-1' },
  ...overrides,
});

/** The marker after these containers were let in, none of which left. */
function marked(...claimants: readonly Partial<Claimant>[]): Marker | undefined {
  let marker: Marker | undefined;
  for (const each of claimants) {
    const claimed = claim(marker, claimant(each));
    if (!claimed.ok) throw new Error(claimed.reason);
    marker = claimed.marker;
  }
  return marker;
}
/** The marker after a container was let in and left by itself. */
const left = (...claimants: readonly Partial<Claimant>[]) => {
  const marker = marked(...claimants);
  return marker ? leave(marker, 'main') : marker;
};

describe('a storage lets in', () => {
  it('the first container, and notes whose it is', () => {
    expect(claim(undefined, claimant())).toEqual({
      ok: true,
      attempt: 1,
      interrupted: false,
      marker: {
        runId: 'r1',
        claims: { 'main/1': 'job-1' },
        attempts: { main: 1 },
        newest: { main: 1 },
        open: ['main'],
      },
    });
  });

  it.each([
    ['the same job again', {}],
    ['the next submission under another id', { submission: 2, jobId: 'job-2' }],
    ['another job of the run', { job: 'b', jobId: 'job-b' }],
  ])('%s', (_who, overrides) => {
    expect(claim(marked({}), claimant(overrides)).ok).toBe(true);
  });
});

describe('a storage refuses', () => {
  it.each([
    ['another run', { runId: 'r2' }, 'the storage belongs to run r1, not to r2'],
    [
      'a second job of one submission',
      { jobId: 'job-9' },
      'submission main/1 is claimed by job job-1, not by job-9',
    ],
  ])('%s', (_who, overrides, reason) => {
    expect(claim(marked({}), claimant(overrides))).toEqual({ ok: false, reason });
  });

  it.each([
    ['even the one that came before', 2, 'job-2'],
    ['even one nobody has seen', 1, 'job-1'],
  ])('a submission that is older than the newest, %s', (_who, submission, jobId) => {
    const marker = marked({ submission: 2, jobId: 'job-2' }, { submission: 3, jobId: 'job-3' });
    expect(claim(marker, claimant({ submission, jobId }))).toEqual({
      ok: false,
      reason: `submission ${submission} of main is older than 3`,
    });
  });

  it('nobody for another job’s newer submission', () => {
    const marker = marked({ job: 'b', submission: 3, jobId: 'job-b' });
    expect(claim(marker, claimant()).ok).toBe(true);
  });
});

describe('a storage counts', () => {
  it('the starts of a job over all its submissions', () => {
    const marker = marked({}, {}, { submission: 2, jobId: 'job-2' });
    expect(claim(marker, claimant({ submission: 2, jobId: 'job-2' }))).toMatchObject({
      attempt: 4,
    });
  });

  it('each job by itself', () => {
    expect(claim(marked({}, {}), claimant({ job: 'b', jobId: 'job-b' }))).toMatchObject({
      attempt: 1,
    });
  });

  it('the starts of a job that bears the name of something every object has', () => {
    expect(claim(undefined, claimant({ job: 'constructor' }))).toMatchObject({ attempt: 1 });
  });
});

describe('a storage takes the tasks of an array', () => {
  const task = (index: number, overrides: Partial<Claimant> = {}) => ({
    jobId: `job-1:${index}`,
    index,
    ...overrides,
  });

  it('under the one claim of their array', () => {
    expect(marked(task(0), task(12))).toMatchObject({
      claims: { 'main/1': 'job-1' },
      attempts: { 'main:0': 1, 'main:12': 1 },
      newest: { main: 1 },
      open: ['main:0', 'main:12'],
    });
  });

  it('but not those of another array under the same submission', () => {
    const other = claimant(task(1, { jobId: 'job-9:1' }));
    expect(claim(marked(task(0)), other)).toEqual({
      ok: false,
      reason: 'submission main/1 is claimed by job job-1, not by job-9',
    });
  });

  it('but not those of an older submission, whichever task was seen of the newer', () => {
    const marker = marked(task(0), task(5, { submission: 2, jobId: 'job-2:5' }));
    expect(claim(marker, claimant(task(0)))).toMatchObject({ ok: false });
  });

  it('and counts the starts of each by itself', () => {
    const marker = marked(task(0), task(1), task(0));
    expect(claim(marker, claimant(task(0)))).toMatchObject({ attempt: 3 });
    expect(claim(marker, claimant(task(1)))).toMatchObject({ attempt: 2 });
  });

  it('and says of each by itself that it was interrupted', () => {
    const marker = leave(marked(task(0), task(1)) as Marker, placeOf({ job: 'main', index: 0 }));
    expect(claim(marker, claimant(task(0)))).toMatchObject({ interrupted: false });
    expect(claim(marker, claimant(task(1)))).toMatchObject({ interrupted: true });
  });
});

describe('a storage says that a job was interrupted', () => {
  it('when its last start left no exit', () => {
    expect(claim(marked({}), claimant())).toMatchObject({ interrupted: true });
  });

  it('and not when it left by itself', () => {
    expect(claim(left({}), claimant())).toMatchObject({ interrupted: false });
  });

  it('and not when another job was', () => {
    expect(claim(marked({ job: 'b', jobId: 'job-b' }), claimant())).toMatchObject({
      interrupted: false,
    });
  });

  it('once per interruption', () => {
    expect(leave(marked({}, {}) as Marker, 'main').open).toEqual([]);
  });
});
