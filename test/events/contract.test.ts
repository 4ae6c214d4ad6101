import fc from 'fast-check';
import * as z from 'zod';
import {
  anyOf,
  BatchJobMovedEvent,
  type Contract,
  defineEvent,
  EbsVolumeNotification,
  type Envelope,
  probeOf,
  REQUESTS,
  RequestCollided,
  RequestRefused,
  RUN_EVENTS,
  RunCancelRequested,
  RunId,
  RunRequested,
  S3ObjectCreated,
} from '../../events';
import { compilePattern } from '../../sim/patterns';

const TideTurned = defineEvent('TideTurned', 'The tide turned.', z.object({ heightCm: z.int() }));
const TideWatched = defineEvent('TideWatched', 'It was seen.', z.object({ by: z.string() }));

const detail = {
  runId: 'r1',
  mode: 'onlyEBS',
  status: 'running',
  seq: 7,
  time: '2026-01-01T00:00:00.000Z',
  data: { heightCm: 40 },
};

function envelope(changes: Partial<Envelope> = {}): Envelope {
  return {
    id: 'e1',
    source: 'ebbtide',
    'detail-type': 'TideTurned',
    time: '2026-01-01T00:00:00Z',
    detail,
    ...changes,
  };
}

const isMatch = ({ patterns }: Pick<Contract, 'patterns'>, event: unknown) =>
  patterns.some((pattern) => compilePattern(pattern)(event));

describe('an event', () => {
  it('is made of its name and its data', () => {
    expect(TideTurned.of({ heightCm: 40 })).toEqual({
      type: 'TideTurned',
      data: { heightCm: 40 },
    });
  });

  it('is about its run and its place in the journal', () => {
    expect(TideTurned.parse(envelope())).toEqual({
      type: 'TideTurned',
      about: { runId: 'r1', seq: 7 },
      data: { heightCm: 40 },
    });
  });

  it('may have a field that nobody knows yet', () => {
    const tomorrow = { ...detail, phase: 'ebb', data: { heightCm: 40, moon: 'full' } };
    expect(TideTurned.parse(envelope({ detail: tomorrow })).data).toEqual({ heightCm: 40 });
  });

  it.each([
    ['data of another type', { data: { heightCm: '40' } }],
    ['no data', { data: undefined }],
    ['no run', { runId: undefined }],
    ['an id that is no legal one', { runId: 'R1' }],
    ['an id that is too long', { runId: 'r'.repeat(41) }],
    ['a mode that there is not', { mode: 'noEBS' }],
    ['a status that there is not', { status: 'paused' }],
    ['a place before the first', { seq: 0 }],
    ['half a place', { seq: 1.5 }],
    ['a time that is none', { time: 'yesterday' }],
  ])('is a defect with %s', (_title, wrong) => {
    expect(() => TideTurned.parse(envelope({ detail: { ...detail, ...wrong } }))).toThrow();
  });

  it('that is a defect says in one sentence which, and everything that is wrong', () => {
    const wrong = { ...detail, seq: 0, data: {} };
    expect(() => TideTurned.parse(envelope({ detail: wrong }))).toThrow(
      /^TideTurned is not what its contract says: seq: [^;]+; data\.heightCm: [^;]+$/,
    );
    expect(() => TideTurned.parse(envelope({ detail: null }))).toThrow(
      /^TideTurned is not what its contract says: detail: /,
    );
  });

  it.each([null, 'x', 5, []])('is a defect when its detail is %j', (wrong) => {
    expect(() => TideTurned.parse(envelope({ detail: wrong }))).toThrow();
  });

  it('is matched by its name', () => {
    expect(isMatch(TideTurned, envelope())).toBe(true);
  });

  it.each([
    ['of another name', { 'detail-type': 'TideWatched' }],
    ['of another source', { source: 'somebody.else' }],
  ])('%s is not matched', (_title, changes) => {
    expect(isMatch(TideTurned, envelope(changes))).toBe(false);
  });

  it.each(Object.entries(RUN_EVENTS))('%s bears the name it is known by', (name, { type }) => {
    expect(type).toBe(name);
  });
});

describe('one contract out of several', () => {
  const either = anyOf<unknown>(TideTurned, TideWatched);

  it.each(['TideTurned', 'TideWatched'])('matches %s', (type) => {
    expect(isMatch(either, envelope({ 'detail-type': type }))).toBe(true);
  });

  it('matches nothing else', () => {
    expect(isMatch(either, envelope({ 'detail-type': 'RunAccepted' }))).toBe(false);
  });

  it('parses an event as its own contract does', () => {
    const watched = envelope({
      'detail-type': 'TideWatched',
      detail: { ...detail, data: { by: 'x' } },
    });
    expect(either.parse(watched)).toEqual(TideWatched.parse(watched));
  });

  it('refuses the data of the other', () => {
    expect(() => either.parse(envelope({ 'detail-type': 'TideWatched' }))).toThrow();
  });

  it('throws for an event of none of them', () => {
    expect(() => either.parse(envelope({ 'detail-type': 'RunAccepted' }))).toThrow(
      'no contract for detail-type RunAccepted',
    );
  });

  it('names all its events', () => {
    expect(either.types).toEqual(['TideTurned', 'TideWatched']);
  });
});

describe('a request', () => {
  const asked = (changes: Partial<Envelope>) =>
    envelope({ source: 'my.application', 'detail-type': 'RunRequested', ...changes });

  it.each(Object.values(REQUESTS))('$type accepts any JSON object', (contract) => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (anything) => {
        const parsed = contract.parse(asked({ 'detail-type': contract.type, detail: anything }));
        expect(parsed.type).toBe(contract.type);
      }),
    );
  });

  it('is handed on as it came', () => {
    const { data } = RunRequested.parse(asked({ detail: { runId: 'r1', jobs: 'nonsense' } }));
    expect(data.detail).toEqual({ runId: 'r1', jobs: 'nonsense' });
  });

  it.each([null, 'x', 5, [1]])('is handed on though its detail is %j', (nothing) => {
    expect(RunRequested.parse(asked({ detail: nothing })).data.detail).toEqual(nothing);
  });

  it.each([null, 'x', 5, [1]])(
    'is about a run derived from the event when its detail is %j',
    (nothing) => {
      const { about, data } = RunRequested.parse(asked({ detail: nothing }));
      expect(about).toEqual({ runId: data.derivedId });
    },
  );

  it('may come from any source', () => {
    expect(isMatch(RunRequested, asked({ source: 'aws.s3.mine' }))).toBe(true);
  });

  it('is matched by its own name only', () => {
    expect(isMatch(RunRequested, asked({ 'detail-type': 'RunCancelRequested' }))).toBe(false);
  });

  it('is about the run that it names', () => {
    const { about } = RunCancelRequested.parse(asked({ detail: { runId: 'r1' } }));
    expect(about).toEqual({ runId: 'r1' });
  });

  it.each([
    ['no id', {}],
    ['an id with capitals', { runId: 'R1' }],
    ['an id of 41 characters', { runId: 'r'.repeat(41) }],
    ['an id that is a number', { runId: 5 }],
    ['an empty id', { runId: '' }],
  ])('with %s is about a run derived from the event', (_title, body) => {
    const id = '01234567-89AB-cdef-0123-456789abcdef';
    expect(RunRequested.parse(asked({ id, detail: body })).about).toEqual({
      runId: 'run-0123456789abcdef0123456789abcdef',
    });
  });

  it('has a derived id beside its own, for when that is taken', () => {
    const id = '01234567-89ab-cdef-0123-456789abcdef';
    const { data } = RunRequested.parse(asked({ id, detail: { runId: 'r1' } }));
    expect(data.derivedId).toBe('run-0123456789abcdef0123456789abcdef');
  });

  const derived = (id: string) => RunRequested.parse(asked({ id, detail: {} })).data.derivedId;

  it('of another sort of id gets a short one', () => {
    expect(derived('intake/requests/a b.json#0055AED6')).toMatch(/^run-[0-9a-f]{1,14}$/);
  });

  it.each(['', 'x', '0'.repeat(31), '0'.repeat(33), 'g'.repeat(32)])(
    'of the id %j is not taken for one with a UUID',
    (id) => {
      expect(derived(id)).toMatch(/^run-[0-9a-f]{1,14}$/);
    },
  );

  it('has the same legal id at every delivery, whatever the id of its event', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uuid(), fc.string()), (id) => {
        expect(RunId.safeParse(derived(id)).success).toBe(true);
        expect(derived(id)).toBe(derived(id));
      }),
    );
  });

  it('has another id than any other request', () => {
    const ids = Array.from({ length: 5_000 }, (_, index) => derived(`uploads/${index}.json`));
    expect(new Set(ids).size).toBe(5_000);
  });
});

describe('a request with a cause', () => {
  const asked = (detail: object, type = 'RunRequested') =>
    envelope({ id: '01234567-89ab-cdef-0123-456789abcdef', 'detail-type': type, detail });
  const upload = { bucket: 'intake', key: 'requests/a b.json', sequencer: '0055AED6DCD90281E5' };
  const schedule = { name: 'nightly', time: '2026-11-20T08:05:00Z' };

  it.each([
    [{ schedule }, /^nightly-202611200805$/],
    [{ upload }, /^up-[0-9a-f]{28}$/],
  ])('is about a run derived from it, whatever the event is: %j', (cause, id) => {
    const [one, other] = ['e1', 'e2'].map((each) =>
      RunRequested.parse({ ...asked({ cause }), id: each }),
    );
    expect(one?.about).toEqual({ runId: expect.stringMatching(id) });
    expect(other).toEqual(one);
  });

  it('is about the run that it names all the same', () => {
    const { about, data } = RunRequested.parse(asked({ runId: 'r1', cause: { schedule } }));
    expect([about, data.derivedId]).toEqual([{ runId: 'r1' }, 'nightly-202611200805']);
  });

  it.each([{ schedule: { name: 'N', time: 'x' } }, 'upload', null])(
    'that is nonsense is about a run derived from the event: %j',
    (cause) => {
      expect(RunRequested.parse(asked({ cause })).about).toEqual({
        runId: 'run-0123456789abcdef0123456789abcdef',
      });
    },
  );

  it('is a request for a run, and no other request', () => {
    const { data } = RunCancelRequested.parse(
      asked({ runId: 'r1', cause: { schedule } }, 'RunCancelRequested'),
    );
    expect(data.derivedId).toBe('run-0123456789abcdef0123456789abcdef');
  });
});

describe('a refused request that collided with a run', () => {
  const refusal = { request: 'RunRequested', reason: 'r1 is taken' };
  const collided = envelope({
    'detail-type': 'RequestRefused',
    detail: { ...detail, data: { ...refusal, rejectedAs: 'run-2' } },
  });

  it('is about the run that keeps it, not about the one it met', () => {
    expect(RequestCollided.parse(collided)).toEqual({
      type: 'RequestRefused',
      about: { runId: 'run-2' },
      data: { mode: 'onlyEBS', reason: 'r1 is taken' },
    });
  });

  it('brings its cause along', () => {
    const cause = { schedule: { name: 'nightly', time: '2026-11-20T08:05:00Z' } };
    const data = { ...refusal, rejectedAs: 'run-2', cause };
    expect(RequestCollided.parse({ ...collided, detail: { ...detail, data } }).data).toEqual({
      mode: 'onlyEBS',
      reason: 'r1 is taken',
      cause,
    });
  });

  it('is matched', () => {
    expect(isMatch(RequestCollided, collided)).toBe(true);
  });

  it('is not matched where no run keeps it', () => {
    const plain = { ...collided, detail: { ...detail, data: refusal } };
    expect([isMatch(RequestRefused, plain), isMatch(RequestCollided, plain)]).toEqual([
      true,
      false,
    ]);
  });

  it('is a defect where no run keeps it', () => {
    expect(() =>
      RequestCollided.parse({ ...collided, detail: { ...detail, data: refusal } }),
    ).toThrow();
  });
});

describe('a notification of EBS', () => {
  const notification = (changes: object = {}, said: object = {}) =>
    envelope({
      id: '7d3fe6a0-4f6c-4bd9-8a55-6a3a0ff14c11',
      source: 'aws.ec2',
      'detail-type': 'EBS Volume Notification',
      account: '111122223333',
      region: 'eu-central-1',
      resources: ['arn:aws:ec2:eu-central-1:111122223333:volume/vol-0f3c2a1b4d5e6f708'],
      detail: { result: 'available', cause: '', event: 'createVolume', 'request-id': 'q', ...said },
      ...changes,
    });
  const key = 'arn:aws:kms:eu-central-1:111122223333:key/5c9d';

  it('is about the volume among its resources', () => {
    expect(EbsVolumeNotification.parse(notification())).toEqual({
      type: 'EBS Volume Notification',
      about: { storageId: 'vol-0f3c2a1b4d5e6f708' },
      data: { event: 'createVolume', result: 'available' },
    });
  });

  it.each(['vol-0f3c2a1b', 'vol-0f3c2a1b4d5e6f708'])('is about %s, short or long', (volumeId) => {
    const resources = [`arn:aws:ec2:eu-central-1:111122223333:volume/${volumeId}`];
    expect(EbsVolumeNotification.parse(notification({ resources })).about).toEqual({
      storageId: volumeId,
    });
  });

  it('is about its volume wherever the key stands that failed', () => {
    const resources = [key, 'arn:aws:ec2:eu-central-1:111122223333:volume/vol-0f3c2a1b'];
    expect(EbsVolumeNotification.parse(notification({ resources })).about).toEqual({
      storageId: 'vol-0f3c2a1b',
    });
  });

  it.each([[[]], [undefined], [[key]], [['arn:aws:ec2:eu-central-1:1:volume/vol-XYZ']]])(
    'is a defect with the resources %j',
    (resources) => {
      expect(() => EbsVolumeNotification.parse(notification({ resources }))).toThrow(
        'no volume among the resources',
      );
    },
  );

  it.each([
    ['createVolume', 'available'],
    ['createVolume', 'failed'],
    ['deleteVolume', 'deleted'],
  ])('that says %s %s is matched', (event, result) => {
    expect(isMatch(EbsVolumeNotification, notification({}, { event, result }))).toBe(true);
  });

  it.each(['attachVolume', 'modifyVolume', ' initializeVolume', 'createSnapshot'])(
    'that says %s is not matched',
    (event) => {
      expect(isMatch(EbsVolumeNotification, notification({}, { event }))).toBe(false);
    },
  );

  it.each([{ source: 'aws.batch' }, { 'detail-type': 'EBS Snapshot Notification' }])(
    'is not taken for another event of AWS: %j',
    (changes) => {
      expect(isMatch(EbsVolumeNotification, notification(changes))).toBe(false);
    },
  );
});

describe('an event of Batch', () => {
  const moved = (said: object = {}, changes: object = {}) =>
    envelope({
      source: 'aws.batch',
      'detail-type': 'Batch Job State Change',
      resources: ['arn:aws:batch:eu-central-1:111122223333:job/b7c2'],
      detail: {
        jobArn: 'arn:aws:batch:eu-central-1:111122223333:job/b7c2',
        jobName: 'ebbtide-r1_main_2',
        jobId: 'b7c2',
        jobQueue: 'arn:aws:batch:eu-central-1:111122223333:job-queue/zone-a',
        status: 'RUNNABLE',
        attempts: [{ container: { exitCode: 143 }, statusReason: 'Host EC2 (i-1) terminated.' }],
        createdAt: 1_767_225_600_000,
        dependsOn: [],
        container: { image: 'x', environment: [], resourceRequirements: [] },
        tags: { 'ebbtide:run': 'r1' },
        ...said,
      },
      ...changes,
    });

  it('is about the run in the name of the job', () => {
    expect(BatchJobMovedEvent.parse(moved())).toEqual({
      type: 'Batch Job State Change',
      about: { runId: 'r1' },
      data: { jobId: 'b7c2', status: 'RUNNABLE' },
    });
  });

  it.each(['ebbtide-nightly', 'ebbtide-R1_main_1', 'ebbtide-r1_main', 'x-ebbtide-r1_main_1'])(
    'of the job %s is about no run of ours, and no defect',
    (jobName) => {
      expect(BatchJobMovedEvent.parse(moved({ jobName })).about).toEqual({ runId: '' });
    },
  );

  it.each([{ jobId: undefined }, { jobName: 5 }, { status: null }])(
    'is a defect with %j',
    (said) => {
      expect(() => BatchJobMovedEvent.parse(moved(said))).toThrow();
    },
  );

  it('is matched by the name of the job', () => {
    expect(isMatch(BatchJobMovedEvent, moved())).toBe(true);
  });

  it('of the parent of an array is matched', () => {
    const arrayProperties = { size: 3, statusSummary: { RUNNING: 1 } };
    expect(isMatch(BatchJobMovedEvent, moved({ arrayProperties }))).toBe(true);
  });

  it.each([0, 1, 9_999])('of the array child %i is not matched', (index) => {
    expect(isMatch(BatchJobMovedEvent, moved({ arrayProperties: { index } }))).toBe(false);
  });

  it.each(['event-test', 'ebbtide', 'my-ebbtide-r1_main_1', 'Ebbtide-r1_main_1'])(
    'of the job %s is not matched',
    (jobName) => {
      expect(isMatch(BatchJobMovedEvent, moved({ jobName }))).toBe(false);
    },
  );

  it.each([{ source: 'aws.ecs' }, { 'detail-type': 'Batch Job Queue Blocked' }])(
    'is not taken for another event of AWS: %j',
    (changes) => {
      expect(isMatch(BatchJobMovedEvent, moved({}, changes))).toBe(false);
    },
  );
});

describe('an event of S3', () => {
  const created = (changes: object = {}, said: object = {}) =>
    envelope({
      id: '5f1c1f0e-7a51-4a6c-9c7e-0d6a4f0f9b11',
      source: 'aws.s3',
      'detail-type': 'Object Created',
      account: '111122223333',
      region: 'eu-central-1',
      resources: ['arn:aws:s3:::intake'],
      detail: {
        version: '0',
        'event-version': '1.2',
        bucket: { name: 'intake' },
        object: { key: 'in/a+b c%20.tar', size: 5, etag: 'b1', sequencer: '617F08299329D189' },
        'request-id': 'N4',
        requester: '111122223333',
        'source-ip-address': '192.0.2.1',
        reason: 'PutObject',
        ...said,
      },
      ...changes,
    });

  it('is about no run yet, and gives the key as it is', () => {
    expect(S3ObjectCreated.parse(created())).toEqual({
      type: 'Object Created',
      about: { runId: '' },
      data: { bucket: 'intake', key: 'in/a+b c%20.tar', sequencer: '617F08299329D189' },
    });
  });

  it.each(['PutObject', 'POST Object', 'CopyObject', 'CompleteMultipartUpload'])(
    'is matched, whichever call made the object: %s',
    (reason) => {
      expect(isMatch(S3ObjectCreated, created({}, { reason }))).toBe(true);
    },
  );

  it.each([{ source: 'aws.s3.mine' }, { 'detail-type': 'Object Deleted' }])(
    'is not taken for another event: %j',
    (changes) => {
      expect(isMatch(S3ObjectCreated, created(changes))).toBe(false);
    },
  );

  it.each([
    { bucket: undefined },
    { bucket: { name: 5 } },
    { object: { key: 'a' } },
    { object: { sequencer: '0A' } },
  ])('is a defect with %j', (said) => {
    expect(() => S3ObjectCreated.parse(created({}, said))).toThrow();
  });
});

describe('a probe', () => {
  const due = (status: string, changes: object = {}) =>
    envelope({ 'detail-type': 'ProbeDue', detail: { runId: 'r1', status }, ...changes });

  it.each(['ready', 'running'])('of a watched status is matched: %s', (status) => {
    expect(isMatch(probeOf(['ready', 'running']), due(status))).toBe(true);
  });

  it.each(['queued', 'releasing', 'succeeded'])(
    'of another status is not matched: %s',
    (status) => {
      expect(isMatch(probeOf(['ready', 'running']), due(status))).toBe(false);
    },
  );

  it.each([{ source: 'somebody.else' }, { 'detail-type': 'RunAccepted' }])(
    'is not taken for another event: %j',
    (changes) => {
      expect(isMatch(probeOf(['ready']), due('ready', changes))).toBe(false);
    },
  );

  it('is about its run, without a place in the journal', () => {
    expect(probeOf(['ready']).parse(due('ready'))).toEqual({
      type: 'ProbeDue',
      about: { runId: 'r1' },
      data: { runId: 'r1', status: 'ready' },
    });
  });

  it.each(['succeeded', 'paused'])('of a run that is %s is a defect', (status) => {
    expect(() => probeOf(['ready']).parse(due(status))).toThrow();
  });
});
