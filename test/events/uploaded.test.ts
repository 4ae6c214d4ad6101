import {
  causeOf,
  meaningOf,
  RunId,
  readRequest,
  requestFor,
  requestIn,
  runIdOf,
  type Settings,
} from '../../events';
import { SETTINGS } from '../../sim/simulator';

const STACK: Settings = {
  ...SETTINGS,
  modes: ['onlyEBS', 'taskExport'],
  repositories: { onlyEBS: 'image', taskExport: 'image' },
  intakeBucket: 'intake',
  layers: {
    taskExport: [
      {
        name: 'cdk.json',
        deploys: true,
        values: { uploads: [{ prefix: 'in/', suffix: '.tar' }, { prefix: 'scans/' }] },
      },
    ],
  },
};
const object = (key: string, bucket = 'intake') => ({ bucket, key, sequencer: '0A1' });
const upload = { mode: 'taskExport', prefix: 'in/' } as const;

describe('an upload means', () => {
  it.each(['requests/a.json', 'requests/deep/er/no-suffix'])('a request under %s', (key) => {
    expect(meaningOf(object(key), STACK)).toEqual({ kind: 'request' });
  });

  it.each([
    ['in/a.tar', 'in/'],
    ['in/deep/a.tar', 'in/'],
    ['scans/1.raw', 'scans/'],
  ])('a run of its prefix under %s', (key, prefix) => {
    expect(meaningOf(object(key), STACK)).toMatchObject({
      kind: 'input',
      upload: { mode: 'taskExport', prefix },
    });
  });

  it.each([
    ['requests/a.json.answer.json', 'an answer'],
    ['in/a.tar.answer.json', 'an answer'],
    ['scans/1.raw.answer.json', 'an answer'],
    ['requests/', 'a folder'],
    ['scans/new/', 'a folder'],
    ['in/a.zip', 'nothing in cdk.json'],
    ['other/a', 'nothing in cdk.json'],
    ['Requests/a.json', 'nothing in cdk.json'],
    ['requests', 'nothing in cdk.json'],
  ])('nothing under %s: %s', (key, said) => {
    expect(meaningOf(object(key), STACK)).toMatchObject({
      kind: 'nothing',
      reason: expect.stringContaining(said),
    });
  });

  it('nothing in another bucket', () => {
    expect(meaningOf(object('requests/a.json', 'results'), STACK)).toEqual({
      kind: 'nothing',
      reason: 'results is not the intake bucket',
    });
  });

  it('nothing where the stack has no intake', () => {
    const settings = { ...STACK, intakeBucket: undefined };
    expect(meaningOf(object('requests/a.json'), settings).kind).toBe('nothing');
  });
});

describe('an uploaded request', () => {
  const read = (text: string | undefined) => requestIn(object('requests/a.json'), text);
  const unreadable = (text: string | undefined) => {
    const judged = readRequest('r1', read(text), STACK);
    return judged.ok ? 'it was accepted' : judged.reason;
  };

  it('is its JSON with its cause', () => {
    expect(read('{ "mode": "onlyEBS", "runId": "x" }')).toEqual({
      mode: 'onlyEBS',
      runId: 'x',
      cause: { upload: object('requests/a.json') },
    });
  });

  it('may begin with the mark of its encoding', () => {
    expect(read('\uFEFF{ "runId": "x" }')).toMatchObject({ runId: 'x' });
  });

  it.each([
    ['is gone or too large', undefined, 'is not there, or has more than 30720 characters'],
    ['is not JSON', '{ "mode": hunter2', 'is not JSON: correct it and upload it again'],
    ['is empty', '', 'is not JSON'],
    ['is a list', '[1]', 'must be a JSON object, got a list of 1'],
    ['is null', 'null', 'must be a JSON object, got null'],
    ['nests too deep', `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`, 'nests more than 16 deep'],
    ['names a cause', '{ "cause": {} }', 'names a cause: leave it out'],
  ])('is refused with its name and the reason where it %s', (_title, text, said) => {
    expect(unreadable(text)).toContain(`s3://intake/requests/a.json ${said}`);
  });

  it('never shows what it could not read', () => {
    expect(unreadable('{ "mode": hunter2')).not.toContain('hunter2');
  });

  it('is refused in a sentence of bearable length, however long its key is', () => {
    const key = `requests/${'x'.repeat(1_000)}`;
    const cause = causeOf(requestIn(object(key), undefined));
    expect(cause).toMatchObject({ upload: { key, unreadable: expect.stringContaining('xxx') } });
  });
});

describe('the request that an upload starts', () => {
  it('shows the folder of the upload as the input of a file system', () => {
    expect(requestFor(object('in/set 1/a.tar'), upload)).toEqual({
      mode: 'taskExport',
      parameters: { inputRepositoryPath: 's3://intake/in/set 1/' },
      cause: { upload: object('in/set 1/a.tar') },
    });
  });

  it('keeps the input that cdk.json names, and everything else there', () => {
    const parameters = { inputRepositoryPath: 's3://elsewhere/x/', maxRunHours: 2 };
    const jobs = [{ name: 'main' }];
    const configured = { ...upload, request: { parameters, jobs } };
    expect(requestFor(object('in/a.tar'), configured)).toMatchObject({ parameters, jobs });
  });

  it('has no input on a volume', () => {
    const detail = requestFor(object('in/a.tar'), { ...upload, mode: 'onlyEBS' });
    expect(detail).toMatchObject({ mode: 'onlyEBS', parameters: {} });
    expect(readRequest('r1', detail, STACK).ok).toBe(true);
  });

  it('is a good one', () => {
    const detail = requestFor(object('in/set/a.tar'), upload);
    expect(readRequest('r1', detail, STACK)).toMatchObject({ ok: true });
  });

  it('is good beside the bucket itself', () => {
    const detail = requestFor(object('in.tar'), { ...upload, prefix: 'in' });
    expect(detail).toMatchObject({ parameters: { inputRepositoryPath: 's3://intake/' } });
  });
});

describe('a cause', () => {
  const schedule = { name: 'nightly', time: '2026-11-20T08:05:00Z' };

  it('of a schedule names the run after it and its minute', () => {
    expect(runIdOf({ schedule })).toBe('nightly-202611200805');
  });

  it('of a schedule names the same run within its minute', () => {
    const ids = ['2026-11-20T08:05:00Z', '2026-11-20T08:05:59.123Z'].map((time) =>
      runIdOf({ schedule: { ...schedule, time } }),
    );
    expect(new Set(ids).size).toBe(1);
  });

  it('of the longest name gives a legal id', () => {
    const id = runIdOf({ schedule: { ...schedule, name: 'n'.repeat(24) } });
    expect(RunId.safeParse(id).success).toBe(true);
  });

  it('of an upload gives a legal id, another for every bucket, key and sequencer', () => {
    const places = [
      ['intake', 'requests/a', '0A'],
      ['intake', 'requests/a', '0B'],
      ['intake', 'requests/b', '0A'],
      ['other', 'requests/a', '0A'],
      ['intake', 'requests/a0', 'A'],
    ] as const;
    const ids = places.map(([bucket, key, sequencer]) =>
      runIdOf({ upload: { bucket, key, sequencer } }),
    );
    expect([new Set(ids).size, ids.every((id) => /^up-[0-9a-f]{28}$/.test(id))]).toEqual([5, true]);
  });

  it('of an upload gives the same id whether it could be read or not', () => {
    const [one, other] = [{}, { unreadable: 'it was not there' }].map((more) =>
      runIdOf({ upload: { ...object('requests/a'), ...more } }),
    );
    expect(one).toBe(other);
  });

  it('is taken from a request that names a good one', () => {
    expect(causeOf({ cause: { schedule } })).toEqual({ schedule });
  });

  const good = object('requests/a');
  it.each([
    ['nothing', {}],
    ['a text', 'upload'],
    ['both', { upload: good, schedule }],
    ['neither', { person: 'me' }],
    ['a bucket that is none', { upload: { ...good, bucket: 'B' } }],
    ['no key', { upload: { ...good, key: '' } }],
    ['a key that is too long', { upload: { ...good, key: 'x'.repeat(1_025) } }],
    ['a sequencer that is none', { upload: { ...good, sequencer: 'xyz' } }],
    ['a sentence that is too long', { upload: { ...good, unreadable: 'x'.repeat(501) } }],
    ['a field more', { upload: { ...good, answer: 'elsewhere' } }],
    ['a schedule with capitals', { schedule: { ...schedule, name: 'Nightly' } }],
    ['a schedule with a long name', { schedule: { ...schedule, name: 'n'.repeat(25) } }],
    ['a time that is none', { schedule: { ...schedule, time: 'today' } }],
  ])('that is nonsense is refused: %s', (_title, cause) => {
    const judged = readRequest('r1', { mode: 'onlyEBS', cause }, STACK);
    expect([judged.ok ? '' : judged.reason, causeOf({ cause })]).toEqual([
      'cause must be the upload or the schedule that a request came from, and this is neither: leave it out, Ebbtide adds it',
      undefined,
    ]);
  });

  it.each([
    ['of another bucket', STACK, 'not in the bucket intake'],
    ['in a stack without an intake', { ...STACK, intakeBucket: undefined }, 'has no intake'],
  ])('that is an upload %s is refused', (_title, settings, said) => {
    const cause = { upload: object('requests/a', 'foreign') };
    expect(readRequest('r1', { mode: 'onlyEBS', cause }, settings)).toMatchObject({
      ok: false,
      reason: expect.stringContaining(said),
    });
  });

  it.each([{ schedule }, { upload: good }])('that is good is no reason to refuse: %j', (cause) => {
    expect(readRequest('r1', { mode: 'onlyEBS', cause }, STACK).ok).toBe(true);
  });

  it('that is in another bucket does not make its sentence the reason', () => {
    const cause = { upload: { ...object('a', 'foreign'), unreadable: 'because I say so' } };
    const judged = readRequest('r1', { mode: 'onlyEBS', cause }, STACK);
    expect(judged.ok ? '' : judged.reason).not.toContain('because I say so');
  });

  it('does not tell one request from another: the same under the same id is the same', () => {
    const [one, other] = ['0A', '0B'].map((sequencer) => {
      const cause = { upload: { ...good, sequencer } };
      const judged = readRequest('r1', { mode: 'onlyEBS', cause }, STACK);
      return judged.ok ? judged.wanted.fingerprint : '';
    });
    expect([one, other]).toEqual([expect.stringMatching(/^[0-9a-f]{14}$/), one]);
  });
});
