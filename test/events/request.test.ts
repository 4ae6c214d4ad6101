import fc from 'fast-check';
import { type Judgement, PARAMETERS, RequestedRun, readRequest, type Settings } from '../../events';
import { looksSecret } from '../../events/parameters/secrets';

const SETTINGS: Settings = {
  modes: ['onlyEBS'],
  layers: {},
  repositories: { onlyEBS: 'repository', taskExport: 'repository' },
  resultsBucket: 'results',
  zones: ['us-east-1a', 'us-east-1b'],
};
const ALL_MODES: Settings = { ...SETTINGS, modes: ['taskExport', 'autoExport', 'onlyEBS'] };
const SECRET = 'hunter2-correct-horse';

const judge = (detail: unknown, settings = SETTINGS): Judgement =>
  readRequest('r1', detail, settings);

/** Why a request was refused; a request that was not shows up in what is expected of the text. */
function refusalOf(detail: unknown, settings = SETTINGS): string {
  const judged = judge(detail, settings);
  return judged.ok ? 'it was accepted' : judged.reason;
}

function wantedOf(detail: unknown, settings = SETTINGS) {
  const judged = judge(detail, settings);
  if (!judged.ok) throw new Error(judged.reason);
  return judged.wanted;
}

const chain = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    name: `j${index}`,
    dependsOn: index === 0 ? [] : [`j${index - 1}`],
  }));

describe('an empty request', () => {
  it('is a run of one job, where the stack has one mode', () => {
    expect(wantedOf({}).jobs).toEqual([
      {
        name: 'main',
        image: 'repository',
        environment: {},
        vcpus: 32,
        memoryMib: 30_000,
        attempts: 5,
        dependsOn: [],
      },
    ]);
  });

  it('has every parameter of its mode', () => {
    expect(wantedOf({}).parameters).toMatchObject({
      ebsSizeGb: 500,
      ebsIOPS: 5_000,
      ebsThroughput: 500,
      deleteEbs: true,
      onFailure: 'retain',
      zones: ['us-east-1a', 'us-east-1b'],
    });
  });

  it('leaves its results under its own name', () => {
    expect(wantedOf({}).results).toEqual({ bucket: 'results', prefix: 'runs/r1/' });
  });

  it('has to name its mode where the stack has several', () => {
    expect(refusalOf({}, ALL_MODES)).toContain(
      'mode must be one of taskExport, autoExport, onlyEBS',
    );
  });
});

describe('a good request', () => {
  it('may name one of several modes', () => {
    expect(wantedOf({ mode: 'autoExport' }, ALL_MODES).mode).toBe('autoExport');
  });

  it('may say how its jobs are made', () => {
    const named = {
      name: 'main',
      image: 'repository:v2',
      command: ['python', 'train.py'],
      environment: { EPOCHS: '3' },
      vcpus: 4,
      memoryMib: 1_024,
      attempts: 2,
      timeoutSeconds: 60,
      dependsOn: [],
    };
    expect(wantedOf({ jobs: [named] }).jobs).toEqual([named]);
  });

  it('hands the parameters of the job to those that say nothing', () => {
    const parameters = {
      jobDefinitionVcpus: 2,
      jobDefinitionMemory: 512,
      jobDefinitionRetryAttempts: 1,
      jobDefinitionContainerImage: 'repository:v3',
    };
    expect(wantedOf({ parameters }).jobs).toMatchObject([
      { vcpus: 2, memoryMib: 512, attempts: 1, image: 'repository:v3' },
    ]);
  });

  it('lies over the layers of the stack', () => {
    const values = { ebsSizeGb: 600, retainHours: 2 };
    const layers = { onlyEBS: [{ name: 'cdk.json', deploys: true, values }] };
    const { parameters } = wantedOf({ parameters: { ebsSizeGb: 700 } }, { ...SETTINGS, layers });
    expect(parameters).toMatchObject({ ebsSizeGb: 700, retainHours: 2 });
  });

  it('may use a zone that cdk.json names', () => {
    const values = { zones: ['eu-west-1c'] };
    const layers = { onlyEBS: [{ name: 'cdk.json', deploys: true, values }] };
    const { parameters } = wantedOf(
      { parameters: { zone: 'eu-west-1c' } },
      { ...SETTINGS, layers },
    );
    expect(parameters).toMatchObject({ zone: 'eu-west-1c', zones: ['eu-west-1c'] });
  });

  it.each(['repository', 'repository:v2', 'repository@sha256:0f'])(
    "may use the stack's own image: %s",
    (image) => {
      expect(wantedOf({ jobs: [{ name: 'main', image }] }).jobs[0]?.image).toBe(image);
    },
  );

  it('may use an image that cdk.json allows', () => {
    const values = { allowedImages: ['public.example/team/*', 'tool:1'] };
    const layers = { onlyEBS: [{ name: 'cdk.json', deploys: true, values }] };
    const jobs = [
      { name: 'a', image: 'public.example/team/x:1' },
      { name: 'b', image: 'tool:1', dependsOn: ['a'] },
    ];
    expect(wantedOf({ jobs }, { ...SETTINGS, layers }).jobs).toHaveLength(2);
  });

  it('may have as many jobs as one may wait for, and one', () => {
    expect(wantedOf({ jobs: chain(21) }).jobs).toHaveLength(21);
  });

  it('may name its jobs in any order', () => {
    expect(wantedOf({ jobs: chain(3).reverse() }).jobs).toHaveLength(3);
  });

  it('may run jobs at once on a file system', () => {
    const jobs = [{ name: 'a' }, { name: 'b', arraySize: 10 }];
    expect(wantedOf({ mode: 'taskExport', jobs }, ALL_MODES).jobs).toHaveLength(2);
  });

  it('has the fingerprint of what it says, not of its id', () => {
    const [one, same, other] = [
      { runId: 'r1', parameters: { ebsSizeGb: 600 } },
      { runId: 'r2', parameters: { ebsSizeGb: 600 } },
      { runId: 'r1', parameters: { ebsSizeGb: 601 } },
    ].map((detail) => wantedOf(detail).fingerprint);
    expect([one === same, one === other]).toEqual([true, false]);
  });
});

describe('a request for jobs that wait for each other', () => {
  const jobsOf = (jobs: readonly object[], mode = 'taskExport') =>
    wantedOf({ mode, jobs }, ALL_MODES).jobs;

  it('may pair the tasks of two arrays', () => {
    const dependsOn = ['prepare', { job: 'align', type: 'N_TO_N' }];
    const jobs = [
      { name: 'prepare' },
      { name: 'align', arraySize: 3 },
      { name: 'sort', arraySize: 3, dependsOn },
    ];
    expect(jobsOf(jobs)[2]).toMatchObject({ dependsOn: ['prepare'], nToN: ['align'] });
  });

  it('may run tasks one after the other, even on a volume', () => {
    const jobs = [{ name: 'a', arraySize: 3, dependsOn: [{ type: 'SEQUENTIAL' }] }];
    expect(jobsOf(jobs, 'onlyEBS')[0]).toMatchObject({ dependsOn: [], sequential: true });
  });

  it('may name parameters, GPUs and limits', () => {
    const fields = {
      command: ['run', '--k=Ref::k'],
      parameters: { k: '31' },
      gpus: 8,
      ulimits: [
        { name: 'nofile', softLimit: 1024, hardLimit: 4096 },
        { name: 'memlock', softLimit: -1, hardLimit: -1 },
      ],
    };
    expect(jobsOf([{ name: 'main', ...fields }])[0]).toMatchObject(fields);
  });

  it.each([
    [
      'N_TO_N with a single job',
      [{ name: 'a' }, { name: 'b', arraySize: 3, dependsOn: [{ job: 'a', type: 'N_TO_N' }] }],
      ['job b waits N_TO_N for a', 'got 3 tasks and a single job', 'depend on "a" as a whole'],
    ],
    [
      'N_TO_N of a single job',
      [
        { name: 'a', arraySize: 3 },
        { name: 'b', dependsOn: [{ job: 'a', type: 'N_TO_N' }] },
      ],
      ['job b waits N_TO_N for a', 'got a single job and 3 tasks'],
    ],
    [
      'N_TO_N between single jobs',
      [{ name: 'a' }, { name: 'b', dependsOn: [{ job: 'a', type: 'N_TO_N' }] }],
      ['both must be arrays of one size, got a single job and a single job'],
    ],
    [
      'N_TO_N of two sizes',
      [
        { name: 'a', arraySize: 3 },
        { name: 'b', arraySize: 4, dependsOn: [{ job: 'a', type: 'N_TO_N' }] },
      ],
      ['both must be arrays of one size, got 4 tasks and 3 tasks', 'the same arraySize'],
    ],
    [
      'N_TO_N with itself',
      [{ name: 'a', arraySize: 3, dependsOn: [{ job: 'a', type: 'N_TO_N' }] }],
      ['job a depends on "a", which is not another job of this run'],
    ],
    [
      'N_TO_N with a stranger',
      [{ name: 'a', arraySize: 3, dependsOn: [{ job: 'x', type: 'N_TO_N' }] }],
      ['job a depends on "x", which is not another job of this run'],
    ],
    [
      'a circle through N_TO_N',
      [
        { name: 'a', arraySize: 3, dependsOn: ['b'] },
        { name: 'b', arraySize: 3, dependsOn: [{ job: 'a', type: 'N_TO_N' }] },
      ],
      ['jobs a, b depend on each other in a circle'],
    ],
    [
      'SEQUENTIAL of a single job',
      [{ name: 'a', dependsOn: [{ type: 'SEQUENTIAL' }] }],
      ['job a is a single job', 'SEQUENTIAL orders the tasks of an array'],
    ],
    [
      'a way to wait that there is not',
      [{ name: 'a', dependsOn: [{ job: 'b', type: 'PARALLEL' }] }],
      ['jobs[0]: dependsOn', '"N_TO_N"', '"SEQUENTIAL"'],
    ],
    [
      'more than 20 of them, of whatever kind',
      [{ name: 'a', arraySize: 2, dependsOn: [...Array(20).fill('b'), { type: 'SEQUENTIAL' }] }],
      ['jobs[0]: dependsOn', 'at most 20'],
    ],
    [
      'a reference to a parameter that there is not',
      [{ name: 'a', command: ['run', 'Ref::k'] }],
      ['job a', 'Ref::k', 'no parameter "k"', 'own parameters'],
    ],
    [
      'a reference to what every object has',
      [{ name: 'a', command: ['Ref::constructor'] }],
      ['no parameter "constructor"'],
    ],
    [
      'a parameter that nobody refers to',
      [{ name: 'a', command: ['run'], parameters: { k: '31' } }],
      ['job a: parameter "k" is used nowhere', 'write Ref::k', 'or leave it out'],
    ],
    [
      'parameters without a command',
      [{ name: 'a', parameters: { k: '31' } }],
      ['job a has parameters and no command', 'Ref::k'],
    ],
    [
      'a parameter whose name is none',
      [{ name: 'a', command: ['run'], parameters: { 'k-mer': '31' } }],
      ['job a: parameter "k"', 'letters, digits and _'],
    ],
    [
      'a parameter that looks like a secret',
      [{ name: 'a', command: ['Ref::TOKEN'], parameters: { TOKEN: SECRET } }],
      ['parameter "TOKEN" looks like a secret', 'Secrets Manager'],
    ],
    [
      'a command that grows too long by its parameters',
      [{ name: 'a', command: Array(7).fill('Ref::k'), parameters: { k: 'x'.repeat(1000) } }],
      ['job a: command and environment have 70', 'takes 6144', 'put data into S3'],
    ],
    [
      'an environment that is too long',
      [{ name: 'a', environment: { X: 'x'.repeat(6144) } }],
      ['job a: command and environment', 'takes 6144'],
    ],
    ['no GPU', [{ name: 'a', gpus: 0 }], ['jobs[0]: gpus', '1 to 16', 'got 0']],
    ['more GPUs than there are', [{ name: 'a', gpus: 17 }], ['jobs[0]: gpus', '1 to 16']],
    [
      'a limit that Docker does not know',
      [{ name: 'a', ulimits: [{ name: 'files', softLimit: 1, hardLimit: 1 }] }],
      ['jobs[0]: ulimits', 'nofile'],
    ],
    [
      'a soft limit above the hard one',
      [{ name: 'a', ulimits: [{ name: 'nofile', softLimit: 2, hardLimit: 1 }] }],
      ['jobs[0]: ulimits', 'softLimit not above hardLimit'],
    ],
    [
      'no soft limit below a hard one',
      [{ name: 'a', ulimits: [{ name: 'nofile', softLimit: -1, hardLimit: 1 }] }],
      ['jobs[0]: ulimits', 'softLimit not above hardLimit'],
    ],
    [
      'a limit twice',
      [{ name: 'a', ulimits: Array(2).fill({ name: 'nofile', softLimit: 1, hardLimit: 1 }) }],
      ['jobs[0]: ulimits', 'each name once'],
    ],
  ])('is refused with what would be right: %s', (_title, jobs, pieces) => {
    const reason = refusalOf({ mode: 'taskExport', jobs }, ALL_MODES);
    expect(
      pieces.filter((piece) => !reason.includes(piece)).map((piece) => [piece, reason]),
    ).toEqual([]);
  });

  it('may not pair tasks on a volume, even where those of each run one after the other', () => {
    const sequential = { type: 'SEQUENTIAL' };
    const jobs = [
      { name: 'a', arraySize: 3, dependsOn: [sequential] },
      { name: 'b', arraySize: 3, dependsOn: [sequential, { job: 'a', type: 'N_TO_N' }] },
    ];
    expect(refusalOf({ jobs })).toContain('jobs a and b could run at once');
  });

  it('never shows what a parameter holds', () => {
    const malformed = [{ TOKEN: [SECRET] }, `TOKEN=${SECRET}`, [SECRET], { [`A=${SECRET}`]: '' }];
    const said = malformed.map((parameters) =>
      refusalOf({ jobs: [{ name: 'a', command: ['x'], parameters }] }),
    );
    expect(
      said.filter((reason) => !reason.includes('parameter') || reason.includes(SECRET)),
    ).toEqual([]);
  });

  it('is described to editors with every field of a job', () => {
    const fields = Object.keys(RequestedRun.shape.jobs.unwrap().element.shape);
    expect(fields).toEqual(expect.arrayContaining(['dependsOn', 'parameters', 'gpus', 'ulimits']));
  });
});

describe('a bad request', () => {
  const parameters = (values: object) => ({ parameters: values });
  const main = (fields: object) => ({ jobs: [{ name: 'main', ...fields }] });
  const named = (...names: string[]) => ({ jobs: names.map((name) => ({ name })) });

  it.each([
    [
      'an unknown parameter',
      parameters({ ebsSize: 600 }),
      ['there is no parameter "ebsSize"', 'did you mean ebsSizeGb?'],
    ],
    [
      'a wrong unit',
      parameters({ ebsSizeGb: '500GB' }),
      ['ebsSizeGb', '"500GB"', 'a whole number from 1 to 65536 GiB', 'write the number alone, 500'],
    ],
    [
      'IOPS too high for the size',
      parameters({ ebsSizeGb: 10, ebsIOPS: 6_000 }),
      [
        'ebsIOPS',
        '6000 for 10 GiB',
        'at most 500 per GiB',
        'at most 5000 IOPS, or for at least 12 GiB',
      ],
    ],
    [
      'throughput too high for the IOPS',
      parameters({ ebsIOPS: 3_000, ebsThroughput: 800 }),
      [
        'ebsThroughput',
        '800 for 3000 IOPS',
        '0.25 MiB/s per IOPS',
        'at most 750 MiB/s, or for at least 3200',
      ],
    ],
    [
      'a unit of another size',
      parameters({ ebsSizeGb: '2TB' }),
      ['ebsSizeGb', '"2TB"', 'write it as a number of GiB'],
    ],
    [
      'a string where a number belongs',
      parameters({ retainHours: '24' }),
      ['retainHours', '"24"', 'a whole number from 1 to 8760 hours', 'without quotes, 24'],
    ],
    [
      'a parameter of the deployment',
      parameters({ vpcId: 'vpc-0123abcd' }),
      ['vpcId', 'set when deploying', 'leave it out'],
    ],
    [
      'a list of parameters',
      parameters([1]),
      ['parameters must be an object of names and values', 'got a list of 1'],
    ],
    [
      'an image outside the allow list',
      main({ image: 'stranger:1' }),
      ['job main', '"stranger:1"', 'only repository', 'add it to allowedImages'],
    ],
    [
      'an image whose name only begins like the allowed one',
      main({ image: 'repository-of-a-stranger' }),
      ['job main', '"repository-of-a-stranger"', 'not allowed'],
    ],
    [
      'a name that looks like that of a secret',
      main({ environment: { DB_PASSWORD: SECRET } }),
      ['job main', '"DB_PASSWORD"', 'looks like a secret', 'Secrets Manager', 'ARN'],
    ],
    [
      'two jobs at once on a volume',
      named('a', 'b'),
      ['jobs a and b', 'one host at a time', 'let b depend on a', 'taskExport or autoExport'],
    ],
    [
      'two jobs at once behind a third',
      {
        jobs: [{ name: 'a' }, { name: 'b', dependsOn: ['a'] }, { name: 'c', dependsOn: ['a'] }],
      },
      ['jobs b and c', 'let c depend on b'],
    ],
    [
      'an array on a volume',
      main({ arraySize: 3 }),
      ['job main is an array', 'one host at a time', 'taskExport or autoExport'],
    ],
    [
      'jobs that wait for each other',
      {
        jobs: [
          { name: 'a', dependsOn: ['b'] },
          { name: 'b', dependsOn: ['a'] },
        ],
      },
      ['jobs a, b depend on each other in a circle', 'break it'],
    ],
    [
      'a job that waits for itself',
      main({ dependsOn: ['main'] }),
      ['job main depends on "main"', 'not another job of this run'],
    ],
    [
      'a job that waits for a stranger',
      main({ dependsOn: ['other'] }),
      ['job main depends on "other"', 'not another job of this run'],
    ],
    ['two jobs of one name', named('a', 'a'), ['job names must be unique', 'got a twice']],
    [
      'an environment name of Batch',
      main({ environment: { AWS_BATCH_JOB_ID: '1' } }),
      ['job main', '"AWS_BATCH_JOB_ID"', 'set by Ebbtide or Batch', 'choose another name'],
    ],
    [
      'an environment name of ours',
      main({ environment: { EBBTIDE_STORAGE: 'x' } }),
      ['"EBBTIDE_STORAGE"', 'another name'],
    ],
    [
      'the name of the bucket',
      main({ environment: { S3_BUCKET_NAME: 'x' } }),
      ['"S3_BUCKET_NAME"', 'another name'],
    ],
    [
      'an environment name that is none',
      main({ environment: { '2nd': 'x' } }),
      ['"2nd"', 'letters, digits and _', 'no digit first'],
    ],
    [
      'an environment of numbers',
      main({ environment: { EPOCHS: 3 } }),
      ['jobs[0]: environment must be an object of names and texts'],
    ],
    ['an unknown field', { job: [] }, ['no field "job"', 'did you mean jobs?']],
    ['an unknown field that is like none', { colour: 1 }, ['no field "colour"']],
    [
      'an unknown field of a job',
      main({ vcpu: 1 }),
      ['jobs[0]', 'no field "vcpu"', 'did you mean vcpus?'],
    ],
    ['an id with capitals', { runId: 'Run1' }, ['runId', '"Run1"', '1 to 40 of a-z, 0-9 and dash']],
    ['an id of 41 characters', { runId: 'r'.repeat(41) }, ['runId', '1 to 40']],
    ['a mode that there is not', { mode: 'lustre' }, ['mode must be one of onlyEBS', '"lustre"']],
    [
      'a mode that this stack has not',
      { mode: 'taskExport' },
      ['mode must be one of onlyEBS', '"taskExport"'],
    ],
    [
      'a zone that this stack has not',
      parameters({ zone: 'us-east-1f' }),
      ['zone', '"us-east-1f"', 'one of us-east-1a, us-east-1b'],
    ],
    [
      'a zone that is none',
      parameters({ zone: 'nowhere' }),
      ['zone', '"nowhere"', 'an Availability Zone'],
    ],
    ['no jobs', { jobs: [] }, ['jobs must be a list of 1 to 21 objects', 'got a list of 0']],
    ['jobs without names', { jobs: [{}] }, ['jobs[0]: name must be 1 to 14 of a-z, 0-9 and dash']],
    [
      'jobs that are texts',
      { jobs: ['main'] },
      ['jobs must be a list', 'each with a name', 'got a list of 1'],
    ],
    ['too many jobs', { jobs: chain(22) }, ['jobs must be a list of 1 to 21 objects']],
    [
      'a job that may not run',
      main({ timeoutSeconds: 59 }),
      ['jobs[0]: timeoutSeconds', '60 to 31536000', 'got 59'],
    ],
    ['an array of one', main({ arraySize: 1 }), ['jobs[0]: arraySize', '2 to 10000', 'got 1']],
    ['no command', main({ command: [] }), ['jobs[0]: command', 'the program first']],
    ['no attempts', main({ attempts: 0 }), ['jobs[0]: attempts', '1 to 10', 'got 0']],
    ['no vCPUs', main({ vcpus: 0 }), ['jobs[0]: vcpus', '1 to 1024', 'got 0']],
    ['no memory', main({ memoryMib: 3 }), ['jobs[0]: memoryMib', '4 to 33554432', 'got 3']],
    [
      'more memory than there is',
      main({ memoryMib: 40_000_000 }),
      ['jobs[0]: memoryMib', '4 to 33554432', 'got 40000000'],
    ],
    [
      'a command that is too long',
      main({ command: ['x'.repeat(8_193)] }),
      ['jobs[0]: command', 'at most 8192 characters'],
    ],
    [
      'a variable that is too long',
      main({ environment: { X: 'x'.repeat(8_193) } }),
      ['jobs[0]: environment', 'at most 8192 characters'],
    ],
    [
      'a job that waits for too many',
      main({ dependsOn: Array.from({ length: 21 }, () => 'a') }),
      ['jobs[0]: dependsOn', 'at most 20'],
    ],
    ['1 MB of junk', { junk: 'x'.repeat(1_000_000) }, ['30720 characters', 'put data into S3']],
    ['1 MB of parameters', parameters({ x: Array(250_000).fill('y') }), ['30720 characters']],
    ['a name of 1 MB', { ['x'.repeat(1_000_000)]: 1 }, ['30720 characters']],
  ])('is refused with what is wrong and what would be right: %s', (_title, detail, pieces) => {
    const reason = refusalOf(detail);
    expect(
      pieces.filter((piece) => !reason.includes(piece)).map((piece) => [piece, reason]),
    ).toEqual([]);
  });

  it.each([
    [[], 'a list of 0'],
    [[1, 2, 3], 'a list of 3'],
    ['x', '"x"'],
    [5, '5'],
    [null, 'null'],
    [true, 'true'],
    [undefined, 'undefined'],
    ['postgres://me:hunter2@host/db', 'what looks like a secret'],
  ])('is refused where it is no JSON object: %j', (detail, said) => {
    expect(refusalOf(detail)).toBe(`a request must be a JSON object, got ${said}`);
  });

  it('is not told that a permitted image is not allowed, whatever else is wrong', () => {
    const values = { allowedImages: ['tool:1'] };
    const layers = { onlyEBS: [{ name: 'cdk.json', deploys: true, values }] };
    const detail = { parameters: { ebsSizGb: 1 }, jobs: [{ name: 'main', image: 'tool:1' }] };
    expect(refusalOf(detail, { ...SETTINGS, layers })).toBe(
      'the request: there is no parameter "ebsSizGb"; did you mean ebsSizeGb?',
    );
  });

  it('cannot make up for a stack that names no zones', () => {
    const layers = { onlyEBS: [{ name: 'cdk.json', deploys: true, values: { zones: [] } }] };
    expect(refusalOf({}, { ...SETTINGS, layers })).toContain(
      'cdk.json: zones must be a list of one to 20 Availability Zones',
    );
  });

  it('of 100,000 levels is refused', () => {
    let deep: object = {};
    for (let level = 0; level < 100_000; level += 1) deep = { deep };
    expect(refusalOf({ parameters: deep })).toContain('nest 16 deep');
  });

  it.each([
    ['at the top', '{ "__proto__": { "mode": "taskExport" } }'],
    ['among the parameters', '{ "parameters": { "__proto__": { "ebsSizeGb": 1 } } }'],
    ['in a job', '{ "jobs": [{ "name": "main", "__proto__": { "image": "stranger" } }] }'],
    ['in an environment', '{ "jobs": [{ "name": "main", "environment": { "__proto__": "x" } }] }'],
  ])('cannot slip values in through __proto__ %s: the name is refused', (_title, text) => {
    expect(refusalOf(JSON.parse(text))).toContain('"__proto__"');
  });

  it('is told everything that is wrong with it', () => {
    const detail = {
      runId: 'R',
      colour: 1,
      parameters: { ebsSize: 1, zone: 5 },
      jobs: [{ name: 'main', vcpus: 0 }],
    };
    const pieces = ['runId', 'colour', 'ebsSize', 'zone', 'vcpus'];
    expect(pieces.filter((piece) => !refusalOf(detail).includes(piece))).toEqual([]);
  });

  it('is told how much more is wrong with it', () => {
    const names = Array.from({ length: 11 }, (_, index) => [`colour${index}`, 1]);
    expect(refusalOf({ parameters: Object.fromEntries(names) })).toContain('and 3 more');
  });

  it('is told how much more is wrong with it, however long the names are', () => {
    const names = Array.from({ length: 30 }, (_, index) => [`${index}${'x'.repeat(80)}`, 1]);
    expect(refusalOf(Object.fromEntries(names))).toContain('and 22 more');
  });

  it('is kept under the mode that it names, or under the first', () => {
    const modes = [{ mode: 'onlyEBS', x: 1 }, { mode: 'none' }, {}].map(
      (detail) => judge(detail, ALL_MODES) as { mode?: string },
    );
    expect(modes.map(({ mode }) => mode)).toEqual(['onlyEBS', 'taskExport', 'taskExport']);
  });
});

describe('the places of a run in S3', () => {
  const settings: Settings = {
    ...ALL_MODES,
    intakeBucket: 'intake',
    layers: {
      autoExport: [
        { name: 'cdk.json', deploys: true, values: { uploads: [{ prefix: 'in/scans-' }] } },
      ],
    },
  };
  const asked = (parameters: object) => ({ mode: 'taskExport', parameters });

  it.each([
    { dataRepositoryPath: 's3://elsewhere' },
    { dataRepositoryPath: 's3://results/team/' },
    { dataRepositoryPath: 's3://results/runs-of-old/' },
    { dataRepositoryPath: 's3://intake/out/' },
    { dataRepositoryPath: 's3://intake/in/' + 'other' },
    { inputRepositoryPath: 's3://intake/in/' },
    { inputRepositoryPath: 's3://results/runs/another/' },
    { dataRepositoryPath: 's3://elsewhere/a', inputRepositoryPath: 's3://elsewhere/ab' },
  ])('may be %j', (places) => {
    expect(wantedOf(asked(places), settings).parameters).toMatchObject(places);
  });

  const RUNS = [
    'overlaps s3://results/runs/, where every run has a place of its own',
    'leave it out',
  ];
  const ASKS = ['where every new object asks for a run', 'name a place beside that'];
  const RESULTS = ['where results go', 'name places beside each other'];
  it.each([
    [{ dataRepositoryPath: 's3://results' }, RUNS],
    [{ dataRepositoryPath: 's3://results/' }, RUNS],
    [{ dataRepositoryPath: 's3://results/runs' }, RUNS],
    [{ dataRepositoryPath: 's3://results/runs/other/' }, RUNS],
    [{ dataRepositoryPath: 's3://results/runs/r1/' }, RUNS],
    [{ dataRepositoryPath: 's3://intake' }, ['overlaps s3://intake/requests/', ...ASKS]],
    [{ dataRepositoryPath: 's3://intake/requests/out' }, ASKS],
    [{ dataRepositoryPath: 's3://intake/in' }, ['overlaps s3://intake/in/scans-', ...ASKS]],
    [{ dataRepositoryPath: 's3://intake/in/scans-1' }, ASKS],
    [{ inputRepositoryPath: 's3://results' }, ['overlaps s3://results/runs/r1/', ...RESULTS]],
    [{ inputRepositoryPath: 's3://results/runs/r1/x/' }, RESULTS],
    [{ dataRepositoryPath: 's3://elsewhere/a', inputRepositoryPath: 's3://elsewhere/a/' }, RESULTS],
    [{ dataRepositoryPath: 's3://elsewhere/a', inputRepositoryPath: 's3://elsewhere' }, RESULTS],
  ])('may not be %j', (places, pieces) => {
    const reason = refusalOf(asked(places), settings);
    expect(
      pieces.filter((piece) => !reason.includes(piece)).map((piece) => [piece, reason]),
    ).toEqual([]);
  });
});

describe('a stack with schedules and uploads', () => {
  const schedules = [{ name: 'nightly', expression: 'rate(1 day)' }];
  const uploads = [{ prefix: 'in/' }];
  const layers = { onlyEBS: [{ name: 'cdk.json', deploys: true, values: { schedules, uploads } }] };

  it('does not write them into every run', () => {
    const { parameters, sources } = wantedOf({}, { ...SETTINGS, layers });
    const names = [...Object.keys(parameters), ...Object.keys(sources)];
    expect(names.filter((name) => ['schedules', 'uploads'].includes(name))).toEqual([]);
  });
});

describe('the parameters of a run', () => {
  const values = {
    ...{ envName: 'Tide', vpcId: 'vpc-0123abcd', computeEnvironmentMaxvCpus: 64 },
    ...{ allowedImages: ['repository', 'tool:1'], ebsSizeGb: 500, retainHours: 3 },
  };
  const layered = (more: object = {}): Settings => ({
    ...SETTINGS,
    layers: {
      onlyEBS: [{ name: 'cdk.json', deploys: true, values: { ...values, ...more } }],
    },
  });
  const ofRuns = Object.entries(PARAMETERS)
    .filter(([, { layer }]) => layer === 'run')
    .map(([name]) => name);

  it('are those that a request may set, and its zones', () => {
    const { parameters } = wantedOf({}, layered());
    const strange = Object.keys(parameters).filter((name) => !ofRuns.includes(name));
    expect([strange, parameters.ebsSizeGb, parameters.retainHours]).toEqual([['zones'], 500, 3]);
  });

  it.each([
    ['the stack', {}, SETTINGS.zones],
    ['cdk.json', { zones: ['us-west-2a'] }, ['us-west-2a']],
  ])('have the zones of %s', (_where, more, zones) => {
    expect(wantedOf({}, layered(more)).parameters.zones).toEqual(zones);
  });

  it('still are judged by what was set when deploying', () => {
    const jobs = (image: string) => ({ jobs: [{ name: 'main', image }] });
    expect([
      wantedOf(jobs('tool:1'), layered()).jobs[0]?.image,
      refusalOf(jobs('tool:2'), layered()),
    ]).toEqual(['tool:1', expect.stringContaining('image "tool:2" is not allowed')]);
  });

  it('name the last layer that said each of them, even where it is the default', () => {
    const asked = { parameters: { retainHours: 4, onFailure: 'retain' } };
    expect(wantedOf(asked, layered({ zones: ['us-east-1a'] })).sources).toEqual({
      ebsSizeGb: 'cdk.json',
      retainHours: 'the request',
      onFailure: 'the request',
    });
  });
});

describe('a secret in the environment', () => {
  const main = (fields: object) => ({ jobs: [{ name: 'main', ...fields }] });

  it.each([
    ['under a telling name', { environment: { DB_PASSWORD: SECRET } }],
    ['in an address', { environment: { DB: `postgres://me:${SECRET}@host/db` } }],
    ['in a malformed environment', { environment: { DB_PASSWORD: [SECRET] } }],
    ['in a list of variables', { environment: [{ name: 'DB_PASSWORD', value: SECRET }] }],
    ['in a text of variables', { environment: `DB_PASSWORD=${SECRET}` }],
    ['under a name that is none', { environment: { '2-PASSWORD': SECRET } }],
    ['under a reserved name', { environment: { EBBTIDE_TOKEN: SECRET } }],
    ['under a misspelt field', { enviroment: { DB_PASSWORD: SECRET } }],
  ])('never stands in the reason: %s', (_title, fields) => {
    const reason = refusalOf({ jobs: [{ name: 'main', ...fields }] });
    expect([reason.includes('it was accepted'), reason.includes(SECRET)]).toEqual([false, false]);
  });

  it.each([
    ['in jobs that are no list', { jobs: { environment: { DB_PASSWORD: SECRET } } }],
    ['in a list with a stranger', { jobs: [{ environment: { DB_PASSWORD: SECRET } }, 5] }],
    ['in the name of a variable', main({ environment: { [`DB_PASSWORD=${SECRET}`]: '' } })],
    ['in a malformed command', main({ command: { password: SECRET } })],
    ['in the name of an image', main({ image: `https://me:${SECRET}@host/image` })],
    ['in a list of parameters', { parameters: [{ environment: SECRET }] }],
    ['in a request that is a list', [{ password: SECRET }]],
  ])('never stands in the reason, wherever it stands: %s', (_title, detail) => {
    const reason = refusalOf(detail);
    expect([reason.includes('it was accepted'), reason.includes(SECRET)]).toEqual([false, false]);
  });

  it.each([
    ['PASSWORD', 'x'],
    ['DB_PASSWORD', 'x'],
    ['db_password', 'x'],
    ['ROOT_PASSWD', 'x'],
    ['CLIENT_SECRET', 'x'],
    ['TOKEN', 'x'],
    ['GITHUB_TOKEN', 'x'],
    ['API_KEY', 'x'],
    ['APIKEY', 'x'],
    ['PRIVATE_KEY', 'x'],
    ['AWS_SECRET_ACCESS_KEY', 'x'],
    ['CREDENTIAL', 'x'],
    ['GOOGLE_CREDENTIALS', 'x'],
    ['SECRET_KEY', 'x'],
    ['PGPASSWORD', 'x'],
    ['MYSQL_PWD', 'x'],
    ['dbPassword', 'x'],
    ['DB_PASS', 'x'],
    ['PASSWORD_1', 'x'],
    ['SECRETS', 'x'],
    ['TOKEN_VALUE', 'x'],
    ['ID', 'AKIAIOSFODNN7EXAMPLE'],
    ['ID', 'key=ASIAIOSFODNN7EXAMPLE;'],
    ['PEM', '-----BEGIN RSA PRIVATE KEY-----'],
    ['PEM', '-----BEGIN PRIVATE KEY-----'],
    ['X', `ghp_${'a1'.repeat(18)}`],
    ['X', 'xoxb-1234567890-abc'],
    ['X', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln'],
    ['URL', 'postgres://me:hunter2@host/db'],
  ])('is seen: %s=%s', (name, value) => {
    expect(looksSecret(name, value)).toBe(true);
  });

  it.each([
    ['MAX_TOKENS', '4096'],
    ['TOKENIZER', 'bpe'],
    ['TOKENIZER_PATH', '/models'],
    ['SECRETARY', 'x'],
    ['PASSWORDLESS', 'yes'],
    ['KEY', 'x'],
    ['MONKEY', 'x'],
    ['TOKEN', ''],
    ['DB_PASSWORD', 'arn:aws:secretsmanager:us-east-1:111122223333:secret:db-x'],
    ['DB_PASSWORD', 'arn:aws-cn:ssm:cn-north-1:111122223333:parameter/db'],
    ['API_KEY', 'arn:aws:kms:us-east-1:111122223333:key/1'],
    ['URL', 'https://host:8443/path'],
    ['URL', 's3://bucket/prefix'],
    ['ID', 'AKIASHORT'],
    ['X', 'eyJhbGciOiJIUzI1NiJ9'],
  ])('is not seen where there is none: %s=%s', (name, value) => {
    expect(looksSecret(name, value)).toBe(false);
  });
});

describe('whatever is asked, the judge', () => {
  const LONGEST_ID = 'r'.repeat(40);
  const junk = fc.jsonValue({ maxDepth: 3 });
  const size = fc.record(
    {
      ebsSizeGb: fc.integer({ min: 1, max: 200 }),
      ebsIOPS: fc.integer({ min: 3_000, max: 80_000 }),
      ebsThroughput: fc.integer({ min: 125, max: 2_000 }),
    },
    { requiredKeys: [] },
  );
  const values = fc.dictionary(fc.constantFrom(...Object.keys(PARAMETERS), 'ebsSize'), junk, {
    maxKeys: 5,
  });
  const job = fc.record(
    {
      name: fc.oneof(fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,16}$/), junk),
      command: fc.oneof(fc.array(fc.string()), junk),
      image: fc.oneof(fc.constantFrom('repository', 'repository:1', 'stranger'), junk),
      environment: fc.oneof(fc.dictionary(fc.string(), fc.string()), junk),
      vcpus: fc.oneof(fc.integer(), junk),
      arraySize: junk,
      dependsOn: fc.oneof(fc.array(fc.string()), junk),
      stranger: junk,
    },
    { requiredKeys: [] },
  );
  const good = fc.record(
    {
      runId: fc.stringMatching(/^[a-z0-9-]{1,40}$/),
      parameters: size,
      jobs: fc.tuple(
        fc.record({ name: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,14}$/), vcpus: fc.constant(4) }),
      ),
    },
    { requiredKeys: [] },
  );
  const any = fc.record(
    {
      runId: fc.oneof(fc.stringMatching(/^[a-z0-9-]{1,41}$/), junk),
      mode: fc.oneof(fc.constantFrom('taskExport', 'autoExport', 'onlyEBS'), junk),
      parameters: fc.oneof(size, values, junk),
      jobs: fc.oneof(fc.array(job, { maxLength: 3 }), junk),
      stranger: junk,
    },
    { requiredKeys: [] },
  );

  const request = fc.oneof(good, any);

  /** What EC2 gives a gp3 volume of this size at most: 3,000 IOPS at any. */
  const iopsOf = (gib: number) => Math.max(3_000, 500 * gib);

  it('answers, with a reason of at most 1,500 characters', () => {
    fc.assert(
      fc.property(
        fc.oneof(junk, request),
        fc.constantFrom(SETTINGS, ALL_MODES),
        (detail, settings) => {
          const judged = judge(detail, settings);
          const length = judged.ok ? 1 : judged.reason.length;
          expect(length).toBeGreaterThan(0);
          expect(length).toBeLessThanOrEqual(1_500);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('answers in at most 1,500 characters where there is much to say', () => {
    const allowedImages = Array.from({ length: 50 }, (_, index) => `image-${index}`.repeat(10));
    const layers = { onlyEBS: [{ name: 'cdk.json', deploys: true, values: { allowedImages } }] };
    const reason = refusalOf({ jobs: [{ name: 'main' }] }, { ...SETTINGS, layers });
    expect(reason.length).toBeLessThanOrEqual(1_500);
    expect(reason).toMatch(/^job main: image/);
  });

  it('answers the same twice', () => {
    fc.assert(fc.property(request, (detail) => expect(judge(detail)).toEqual(judge(detail))));
  });

  it('accepts of all volumes just those that EC2 makes', () => {
    fc.assert(
      fc.property(size, (parameters) => {
        const { ebsSizeGb = 500, ebsIOPS = 5_000, ebsThroughput = 500 } = parameters;
        const isMade = ebsIOPS <= iopsOf(ebsSizeGb) && ebsThroughput <= ebsIOPS / 4;
        expect(judge({ parameters }).ok).toBe(isMade);
      }),
      { numRuns: 500 },
    );
  });

  it('never accepts a volume that EC2 would refuse, or a key that is too long', () => {
    fc.assert(
      fc.property(request, (detail) => {
        const judged = readRequest(LONGEST_ID, detail, SETTINGS);
        if (!judged.ok) return;
        const { parameters, jobs } = judged.wanted;
        const { ebsSizeGb = 0, ebsIOPS = 0, ebsThroughput = 0 } = parameters;
        expect(ebsIOPS).toBeLessThanOrEqual(iopsOf(ebsSizeGb));
        expect(ebsThroughput).toBeLessThanOrEqual(ebsIOPS / 4);
        for (const { name } of jobs) {
          expect(`${LONGEST_ID}.job-${name}.99`).toMatch(/^[A-Za-z0-9_.-]{1,63}$/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('accepts a good part of what is drawn here', () => {
    const drawn = fc.sample(request, { numRuns: 500, seed: 1 });
    expect(drawn.filter((detail) => judge(detail).ok).length).toBeGreaterThan(50);
  });

  it('takes a job name of 14 characters, whose key has 63 at most', () => {
    const longest = 'j'.repeat(14);
    expect(wantedOf({ jobs: [{ name: longest }] }).jobs[0]?.name).toBe(longest);
    expect(`${LONGEST_ID}.job-${longest}.999`.length).toBeLessThanOrEqual(63);
  });

  it('takes no job name of 15 characters', () => {
    expect(refusalOf({ jobs: [{ name: 'j'.repeat(15) }] })).toContain('1 to 14');
  });
});
