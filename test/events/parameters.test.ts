import cdk from '../../cdk.json';
import {
  defaultsOf,
  definitionOf,
  type Layer,
  MODES,
  type Mode,
  PARAMETERS,
  type ParameterName,
  parameterOf,
  resolve,
} from '../../events';

const NAMES = Object.keys(PARAMETERS) as ParameterName[];

const isLegal = (name: string, value: unknown) =>
  definitionOf(name)?.schema.safeParse(value).success;

/** The smallest and the largest number that a parameter takes. */
const NUMBERS: readonly (readonly [ParameterName, number, number])[] = [
  ['computeEnvironmentMinvCpus', 0, 100_000],
  ['computeEnvironmentMaxvCpus', 1, 100_000],
  ['computeEnvironmentDesiredvCpus', 0, 100_000],
  ['lustreStorageCapacity', 1_200, 100_800],
  ['lustreImportedFileChunkSize', 1, 512_000],
  ['ebsSizeGb', 1, 65_536],
  ['ebsIOPS', 3_000, 80_000],
  ['ebsThroughput', 125, 2_000],
  ['jobDefinitionRetryAttempts', 1, 10],
  ['jobDefinitionVcpus', 1, 1_024],
  ['jobDefinitionMemory', 4, 33_554_432],
  ['waitForLustreCreationSeconds', 1, 3_600],
  ['waitForDataRepositoryTaskSeconds', 1, 3_600],
  ['waitForCheckMetricsSeconds', 1, 3_600],
  ['lambdaPeriodSeconds', 60, 3_600],
  ['lambdaTimeDiffMinutes', 3, 180],
  ['waitForEbsCreationSeconds', 1, 3_600],
  ['waitForJobCompletionSeconds', 1, 3_600],
  ['waitAfterDetachSeconds', 1, 3_600],
  ['retainHours', 1, 8_760],
  ['jobResubmissions', 0, 20],
  ['maxRunHours', 1, 8_760],
];

const COMPUTE = {
  computeEnvironmentType: 'SPOT',
  computeEnvironmentAllocationStrategy: 'SPOT_PRICE_CAPACITY_OPTIMIZED',
  computeEnvironmentInstanceTypes: ['optimal'],
  computeEnvironmentMinvCpus: 0,
  computeEnvironmentMaxvCpus: 256,
  computeEnvironmentDesiredvCpus: 0,
};
const JOB = {
  jobDefinitionRetryAttempts: 5,
  jobDefinitionVcpus: 32,
  jobDefinitionMemory: 30_000,
  waitForJobCompletionSeconds: 300,
};
const LUSTRE = {
  lustreFileSystemTypeVersion: '2.15',
  lustreStorageCapacity: 2_400,
  lustreImportedFileChunkSize: 1_024,
  deleteLustre: true,
  waitForLustreCreationSeconds: 30,
};
/** The names that the product began with, and their values. */
const SEEDS: { readonly [mode in Mode]: { readonly [name: string]: unknown } } = {
  taskExport: {
    envName: 'TaskExport',
    ecrRepositoryName: 'batch-job-with-lustre-task-export',
    ...COMPUTE,
    ...JOB,
    ...LUSTRE,
    autoExport: false,
    waitForDataRepositoryTaskSeconds: 300,
  },
  autoExport: {
    envName: 'AutoExport',
    ecrRepositoryName: 'batch-job-with-lustre-auto-export',
    ...COMPUTE,
    ...JOB,
    ...LUSTRE,
    autoExport: true,
    waitForCheckMetricsSeconds: 60,
    lambdaPeriodSeconds: 60,
    lambdaTimeDiffMinutes: 15,
  },
  onlyEBS: {
    envName: 'OnlyEBS',
    ecrRepositoryName: 'batch-job-with-ebs',
    ...COMPUTE,
    ...JOB,
    ebsSizeGb: 500,
    ebsIOPS: 5_000,
    ebsThroughput: 500,
    deleteEbs: true,
    waitForEbsCreationSeconds: 30,
    waitAfterDetachSeconds: 10,
  },
};

const request = (values: Layer['values']): Layer => ({
  name: 'the request',
  deploys: false,
  values,
});
const deployed = (values: Layer['values']): Layer => ({ name: 'cdk.json', deploys: true, values });

describe('a parameter', () => {
  it.each(NAMES)('has a default that is legal, or none: %s', (name) => {
    const { modes, default: byMode, schema } = PARAMETERS[name] as (typeof PARAMETERS)['ebsSizeGb'];
    const defaults = modes.flatMap((mode) => (byMode ? [byMode(mode)] : []));
    expect(defaults.filter((value) => !schema.safeParse(value).success)).toEqual([]);
  });

  it.each(NAMES)('says what it is, what it must be and who says so: %s', (name) => {
    const { about, rule, source } = PARAMETERS[name];
    expect([about, rule, source].filter((text) => text.length < 4)).toEqual([]);
  });

  it.each(NUMBERS)('%s takes %i to %i, and nothing beyond', (name, min, max) => {
    const judged = [min, max, min - 1, max + 1].map((value) => isLegal(name, value));
    expect(judged).toEqual([true, true, false, false]);
  });

  it.each(NUMBERS)('%s names its limits in its rule', (name, min, max) => {
    expect(PARAMETERS[name].rule).toMatch(new RegExp(`\\b${min}\\b.*\\b${max}\\b`));
  });

  it.each(NUMBERS)('%s takes nothing but a whole number', (name, min) => {
    const wrong = [`${min}`, min + 0.5, Number.NaN, Number.POSITIVE_INFINITY, null, true, [min]];
    expect(wrong.filter((value) => isLegal(name, value))).toEqual([]);
  });

  it('that is a number is among those of this table', () => {
    const numbers = NAMES.filter((name) => {
      const value = PARAMETERS[name] as { default?: (mode: Mode) => unknown };
      return typeof value.default?.('onlyEBS') === 'number';
    });
    expect(numbers.sort()).toEqual(NUMBERS.map(([name]) => name).sort());
  });

  it.each([
    ['lustreStorageCapacity', 1_200, 1_800],
    ['lustreStorageCapacity', 4_800, 3_600],
    ['lustreStorageCapacity', 2_400, 0],
    ['lustreStorageCapacity', 7_200, -2_400],
    ['lambdaPeriodSeconds', 120, 61],
    ['lustreFileSystemTypeVersion', '2.12', '2.10'],
    ['computeEnvironmentType', 'EC2', 'FARGATE'],
    ['computeEnvironmentAllocationStrategy', 'BEST_FIT_PROGRESSIVE', 'BEST_FIT'],
    ['computeEnvironmentInstanceTypes', ['m7', 'c7.large'], 'm7'],
    ['computeEnvironmentInstanceTypes', ['m7'], ['']],
    ['allowedImages', ['public.example/x*'], [5]],
    ['zones', ['us-east-1a'], []],
    ['onFailure', 'export', 'keep'],
    ['exportProof', 'metrics', 'hope'],
    ['deleteEbs', false, 'false'],
    ['deleteLustre', false, 0],
    ['autoExport', true, 'yes'],
    ['zone', 'us-east-1a', 'us-east-1'],
    ['zone', 'us-gov-west-1b', 'use1-az1'],
    ['vpcId', 'vpc-0123abcd', 'vpc-XYZ'],
    ['envName', 'Tide-2', '2nd'],
    ['ecrRepositoryName', 'team/image', 'Team/Image'],
    ['inputRepositoryPath', 's3://bucket/in', 'https://bucket/in'],
    ['inputRepositoryPath', 's3://bucket', 's3://b'],
    ['dataRepositoryPath', 's3://my.bucket/a/b', 's3://bucket/a b'],
    ['jobDefinitionContainerImage', '1.example/x@sha256:0f', ':latest'],
    ['inputRepositoryPath', 's3://bucket/in', 's3://bucket/\u0085'],
    ['inputRepositoryPath', `s3://bucket/${'x'.repeat(4_344)}`, `s3://bucket/${'x'.repeat(4_346)}`],
    ['schedules', [{ name: 'nightly', expression: 'rate(1 day)' }], {}],
    ['uploads', [{ prefix: 'in/' }], ['in/']],
  ])('%s takes %j, not %j', (name, right, wrong) => {
    expect([isLegal(name, right), isLegal(name, wrong)]).toEqual([true, false]);
  });

  it.each([
    [3000, '2400 or 4800'],
    [2399, '1200 or 2400'],
    [1, '1200'],
    [0, '1200'],
    [999_999, '100800'],
    [2400.5, '2400 or 4800'],
  ])('that is no Lustre size, %s, is refused with the nearest: %s', (size, nearest) => {
    const { reasons } = resolve('taskExport', [request({ lustreStorageCapacity: size })]);
    expect(reasons).toEqual([
      expect.stringMatching(new RegExp(`, got ${size}; the nearest is ${nearest}$`)),
    ]);
  });

  it.each(['no such', 'toString', 'constructor', '__proto__'])('is never called %s', (name) => {
    expect(definitionOf(name)).toBeUndefined();
  });

  it('has the default in a run that is older than itself', () => {
    expect(parameterOf({ mode: 'onlyEBS', parameters: {} }, 'retainHours')).toBe(24);
  });

  it('has the value of the run where it has one', () => {
    const parameters = { jobResubmissions: 0 };
    expect(parameterOf({ mode: 'onlyEBS', parameters }, 'jobResubmissions')).toBe(0);
  });

  it('that has neither a value nor a default is a defect', () => {
    expect(() => parameterOf({ mode: 'onlyEBS', parameters: {} }, 'zone')).toThrow(
      'zone has no value and no default',
    );
  });
});

describe('cdk.json', () => {
  const sections: { readonly [mode in Mode]: Layer['values'] } = cdk.context;

  it.each(MODES)('has a section for %s with every name of the beginning', (mode) => {
    expect(sections[mode]).toMatchObject(SEEDS[mode]);
  });

  it.each(MODES)('has nothing for %s that would be refused', (mode) => {
    expect(resolve(mode, [deployed(sections[mode])]).reasons).toEqual([]);
  });

  it.each(MODES)('says for %s what holds without it', (mode) => {
    const { parameters } = resolve(mode, [deployed(sections[mode])]);
    expect(parameters).toEqual(resolve(mode, []).parameters);
  });

  it.each(MODES)('could be left empty for %s: the defaults are those of the beginning', (mode) => {
    expect(defaultsOf(mode)).toMatchObject(SEEDS[mode]);
  });
});

describe('the defaults of a mode', () => {
  it.each(MODES)('are only those of its own parameters: %s', (mode) => {
    const strange = Object.keys(defaultsOf(mode)).filter(
      (name) => !definitionOf(name)?.modes.includes(mode),
    );
    expect(strange).toEqual([]);
  });

  it.each(MODES)('agree with each other: %s', (mode) => {
    expect(resolve(mode, []).reasons).toEqual([]);
  });

  it.each([
    ['onFailure', 'retain'],
    ['retainHours', 24],
    ['jobResubmissions', 2],
    ['maxRunHours', 336],
  ])('has %s at %j', (name, value) => {
    expect(MODES.map((mode) => defaultsOf(mode)[name as ParameterName])).toEqual([
      value,
      value,
      value,
    ]);
  });

  it('prove an export with a task', () => {
    expect(defaultsOf('autoExport').exportProof).toBe('task');
  });
});

describe('the layers of parameters', () => {
  it('give way to later ones', () => {
    const layers = [{ ebsSizeGb: 600 }, { ebsSizeGb: 700 }, { ebsSizeGb: 800 }].map(request);
    const sizes = [0, 1, 2, 3].map(
      (count) => resolve('onlyEBS', layers.slice(0, count)).parameters.ebsSizeGb,
    );
    expect(sizes).toEqual([500, 600, 700, 800]);
  });

  it('leave alone what later ones do not name', () => {
    const layers = [request({ ebsSizeGb: 600 }), request({ retainHours: 1 })];
    expect(resolve('onlyEBS', layers).parameters).toMatchObject({ ebsSizeGb: 600, retainHours: 1 });
  });

  const DEPLOYED = NAMES.filter((name) => PARAMETERS[name].layer === 'deploy');

  it('are deployed for these names only', () => {
    expect(DEPLOYED.sort()).toEqual([
      'allowedImages',
      'computeEnvironmentAllocationStrategy',
      'computeEnvironmentDesiredvCpus',
      'computeEnvironmentInstanceTypes',
      'computeEnvironmentMaxvCpus',
      'computeEnvironmentMinvCpus',
      'computeEnvironmentType',
      'ecrRepositoryName',
      'envName',
      'schedules',
      'uploads',
      'vpcId',
      'zones',
    ]);
  });

  it.each(DEPLOYED)('do not let a request set %s, whatever the value', (name) => {
    const value = PARAMETERS[name].default?.('onlyEBS') ?? 'x';
    expect(resolve('onlyEBS', [request({ [name]: value })]).reasons).toEqual([
      `the request: ${name} is set when deploying, in cdk.json; leave it out here`,
    ]);
  });

  it('let cdk.json set what is deployed', () => {
    const zones = ['us-east-1a'];
    expect(resolve('onlyEBS', [deployed({ zones })]).parameters.zones).toEqual(zones);
  });

  it('name the place of what is wrong', () => {
    const secret = { name: 'the secret', deploys: false, values: { retainHours: 0 } };
    expect(resolve('onlyEBS', [secret, request({})]).reasons).toEqual([
      'the secret: retainHours must be a whole number from 1 to 8760 hours, got 0',
    ]);
  });

  it('leave standing what is right beside what is wrong', () => {
    const layers = [deployed({ allowedImages: ['tool:1'] }), request({ retainHours: 0 })];
    expect(resolve('onlyEBS', layers).parameters).toMatchObject({
      allowedImages: ['tool:1'],
      retainHours: 24,
    });
  });

  it('say everything that is wrong, not the first', () => {
    const wrong = request({ retainHours: 0, onFailure: 'keep', zone: 5 });
    expect(resolve('onlyEBS', [wrong]).reasons).toHaveLength(3);
  });
});

describe('where a value came from', () => {
  const secret = (values: Layer['values']) => ({ name: 'the secret x', deploys: false, values });

  it.each([
    ['nobody, where nobody says anything', [], {}],
    [
      'the layer that repeats the default',
      [deployed({ ebsSizeGb: 500 })],
      { ebsSizeGb: 'cdk.json' },
    ],
    ['the layer that says it', [deployed({ ebsSizeGb: 600 })], { ebsSizeGb: 'cdk.json' }],
    [
      'the last of those that say it',
      [deployed({ ebsSizeGb: 600 }), secret({ ebsSizeGb: 700 }), request({ ebsSizeGb: 800 })],
      { ebsSizeGb: 'the request' },
    ],
    [
      'the last of them, though it says the same',
      [deployed({ ebsSizeGb: 600 }), secret({ ebsSizeGb: 600 })],
      { ebsSizeGb: 'the secret x' },
    ],
    [
      'the last of them, though it goes back to the default',
      [deployed({ ebsSizeGb: 600 }), request({ ebsSizeGb: 500 })],
      { ebsSizeGb: 'the request' },
    ],
    [
      'each its own layer',
      [
        deployed({ zones: ['us-east-1a'] }),
        secret({ retainHours: 3 }),
        request({ maxRunHours: 2 }),
      ],
      { zones: 'cdk.json', retainHours: 'the secret x', maxRunHours: 'the request' },
    ],
    [
      'the layer whose value counts, where a later one is wrong',
      [deployed({ ebsSizeGb: 600 }), request({ ebsSizeGb: 0 })],
      { ebsSizeGb: 'cdk.json' },
    ],
  ])('is %s', (_title, layers, sources) => {
    expect(resolve('onlyEBS', layers).sources).toEqual(sources);
  });
});

describe('a layer that could not be read', () => {
  const broken = {
    name: 'the secret x',
    deploys: false,
    values: {},
    problem: 'the secret x is torn',
  };

  it('is a reason, so that nothing runs on the other layers alone', () => {
    expect(resolve('onlyEBS', [deployed({}), broken, request({})]).reasons).toEqual([
      'the secret x is torn',
    ]);
  });

  it('is a reason beside what is wrong elsewhere', () => {
    expect(resolve('onlyEBS', [broken, request({ retainHours: 0 })]).reasons).toHaveLength(2);
  });
});

describe('a number where a text belongs', () => {
  it('is refused with what to write', () => {
    const layer = request({ lustreFileSystemTypeVersion: 2.15 });
    expect(resolve('taskExport', [layer]).reasons).toEqual([
      'the request: lustreFileSystemTypeVersion must be one of 2.15, 2.12, got 2.15: write it in quotes, "2.15"',
    ]);
  });
});

describe('a name that is no parameter', () => {
  it.each([
    ['onlyEBS', 'ebsIops', 'ebsIOPS'],
    ['onlyEBS', 'ebsSize', 'ebsSizeGb'],
    ['onlyEBS', 'ebsSizeGib', 'ebsSizeGb'],
    ['onlyEBS', 'ebsTroughput', 'ebsThroughput'],
    ['onlyEBS', 'retain', undefined],
    ['onlyEBS', 'retainHour', 'retainHours'],
    ['onlyEBS', 'jobDefinitionVCPUs', 'jobDefinitionVcpus'],
    ['taskExport', 'lustreStorageCapacty', 'lustreStorageCapacity'],
    ['autoExport', 'waitForCheckMetricSeconds', 'waitForCheckMetricsSeconds'],
    ['onlyEBS', 'lustreStorageCapacty', undefined],
    ['onlyEBS', 'colour', undefined],
  ] as const)('in %s, %s, is refused with the nearest that is one: %s', (mode, wrong, right) => {
    const meant = right ? `; did you mean ${right}?` : '';
    expect(resolve(mode, [request({ [wrong]: 1 })]).reasons).toEqual([
      `the request: there is no parameter "${wrong}"${meant}`,
    ]);
  });

  it.each(['constructor', 'toString', 'hasOwnProperty'])(
    'is refused though objects have it: %s',
    (name) => {
      expect(resolve('onlyEBS', [request({ [name]: 1 })]).reasons).toHaveLength(1);
    },
  );

  it('is refused though it would change the prototype', () => {
    const values = JSON.parse('{ "__proto__": { "ebsSizeGb": 1 } }');
    expect(resolve('onlyEBS', [request(values)]).reasons).toEqual([
      'the request: there is no parameter "__proto__"',
    ]);
  });

  it('is refused where it is one of another mode, with that mode', () => {
    expect(resolve('onlyEBS', [request({ lustreStorageCapacity: 2_400 })]).reasons).toEqual([
      'the request: lustreStorageCapacity is not a parameter of onlyEBS, only of taskExport, autoExport',
    ]);
  });
});

describe('a text where a number belongs', () => {
  it.each([
    ['500', 'got "500": write it without quotes, 500'],
    ['-1', 'got "-1"'],
    ['65537', 'got "65537"'],
    ['500GB', 'got "500GB": write the number alone, 500'],
    ['500 GiB', 'got "500 GiB": write the number alone, 500'],
    ['2TB', 'got "2TB": write it as a number of GiB'],
    ['2048 MiB', 'got "2048 MiB": write it as a number of GiB'],
    ['much', 'got "much"'],
    ['', 'got ""'],
  ])('is refused with what to write: %j', (value, said) => {
    expect(resolve('onlyEBS', [request({ ebsSizeGb: value })]).reasons).toEqual([
      `the request: ebsSizeGb must be a whole number from 1 to 65536 GiB, ${said}`,
    ]);
  });

  it('is not told to go without quotes where a text belongs', () => {
    const layer = request({ lustreFileSystemTypeVersion: '2.10' });
    expect(resolve('taskExport', [layer]).reasons).toEqual([
      'the request: lustreFileSystemTypeVersion must be one of 2.15, 2.12, got "2.10"',
    ]);
  });

  it.each([null, true, 0.5])('is refused as it stands: %j', (value) => {
    expect(resolve('onlyEBS', [request({ ebsSizeGb: value })]).reasons).toEqual([
      `the request: ebsSizeGb must be a whole number from 1 to 65536 GiB, got ${value}`,
    ]);
  });

  it.each([
    [[500], 'a list of 1'],
    [[], 'a list of 0'],
    [{ gib: 500 }, 'an object'],
    ['postgres://me:hunter2@host/db', 'what looks like a secret'],
  ])('is described, not shown, where it is %j', (value, said) => {
    expect(resolve('onlyEBS', [request({ ebsSizeGb: value })]).reasons).toEqual([
      `the request: ebsSizeGb must be a whole number from 1 to 65536 GiB, got ${said}`,
    ]);
  });

  it('is shown in part where it is long', () => {
    const [reason] = resolve('onlyEBS', [request({ ebsSizeGb: 'x'.repeat(1_000) })]).reasons;
    expect(reason?.length).toBeLessThan(150);
  });
});

describe('parameters that do not agree', () => {
  it.each([
    [10, 5_000, []],
    [10, 5_001, ['ebsIOPS', '500 per GiB', 'got 5001 for 10 GiB', '5000 IOPS', 'at least 11 GiB']],
    [1, 3_000, []],
    [5, 3_000, []],
    [5, 3_001, ['got 3001 for 5 GiB', 'at most 3000 IOPS', 'at least 7 GiB']],
    [160, 80_000, []],
    [159, 80_000, ['got 80000 for 159 GiB', '79500 IOPS', 'at least 160 GiB']],
  ])('are refused with both ways out: %i GiB and %i IOPS', (ebsSizeGb, ebsIOPS, pieces) => {
    const values = { ebsSizeGb, ebsIOPS, ebsThroughput: 125 };
    const { reasons } = resolve('onlyEBS', [request(values)]);
    expect(reasons).toEqual(pieces.length > 0 ? [expect.stringMatching(pieces.join('.*'))] : []);
  });

  it.each([
    [4_000, 1_000, []],
    [4_000, 1_001, ['ebsThroughput', '0.25', 'got 1001 for 4000 IOPS', '1000 MiB/s', '4004 IOPS']],
    [3_001, 751, ['got 751 for 3001 IOPS', 'at most 750 MiB/s', 'at least 3004 IOPS']],
    [8_000, 2_000, []],
  ])('are refused with both ways out: %i IOPS and %i MiB/s', (ebsIOPS, ebsThroughput, pieces) => {
    const { reasons } = resolve('onlyEBS', [request({ ebsIOPS, ebsThroughput })]);
    expect(reasons).toEqual(pieces.length > 0 ? [expect.stringMatching(pieces.join('.*'))] : []);
  });

  it('are judged over all layers together', () => {
    const layers = [deployed({ ebsIOPS: 80_000 }), request({ ebsSizeGb: 100 })];
    expect(resolve('onlyEBS', layers).reasons).toEqual([
      expect.stringContaining('got 80000 for 100 GiB'),
    ]);
  });

  it.each([
    ['taskExport', true],
    ['autoExport', false],
  ] as const)('are refused: %s with autoExport %s', (mode, autoExport) => {
    expect(resolve(mode, [request({ autoExport })]).reasons).toEqual([
      `autoExport must agree with the mode, got ${autoExport} for ${mode}: leave it out`,
    ]);
  });

  it.each([
    ['taskExport', false],
    ['autoExport', true],
  ] as const)('are not these: %s with autoExport %s', (mode, autoExport) => {
    expect(resolve(mode, [request({ autoExport })]).reasons).toEqual([]);
  });

  it.each([
    [3, 60, []],
    [15, 60, []],
    [15, 300, []],
    [3, 120, ['at least 3 periods', 'got 3 minutes and 120 seconds', 'at least 6 minutes']],
    [14, 300, ['lambdaTimeDiffMinutes', 'lambdaPeriodSeconds', 'got 14 minutes', '15 minutes']],
    [5, 120, ['got 5 minutes and 120 seconds', 'at least 6 minutes']],
    [180, 3_600, []],
    [179, 3_600, ['at least 180 minutes']],
  ])(
    'are refused with the way out: a window of %i minutes in periods of %i seconds as the proof',
    (lambdaTimeDiffMinutes, lambdaPeriodSeconds, pieces) => {
      const values = { exportProof: 'metrics', lambdaTimeDiffMinutes, lambdaPeriodSeconds };
      const { reasons } = resolve('autoExport', [request(values)]);
      expect(reasons).toEqual(pieces.length > 0 ? [expect.stringMatching(pieces.join('.*'))] : []);
    },
  );

  it('are good with the way out that was named, and with nothing less', () => {
    const values = { exportProof: 'metrics', lambdaTimeDiffMinutes: 3, lambdaPeriodSeconds: 420 };
    const [reason = ''] = resolve('autoExport', [request(values)]).reasons;
    const minutes = Number(/at least (\d+) minutes$/.exec(reason)?.[1]);
    expect(
      [minutes, minutes - 1].map(
        (each) =>
          resolve('autoExport', [request({ ...values, lambdaTimeDiffMinutes: each })]).reasons
            .length,
      ),
    ).toEqual([0, 1]);
  });

  it('are not these: a short window where a task is the proof', () => {
    const values = { lambdaTimeDiffMinutes: 3, lambdaPeriodSeconds: 3_600 };
    expect([
      resolve('autoExport', [request(values)]).reasons,
      resolve('autoExport', [request({ ...values, exportProof: 'task' })]).reasons,
    ]).toEqual([[], []]);
  });

  it('are refused: the export of a volume that failed', () => {
    expect(resolve('onlyEBS', [request({ onFailure: 'export' })]).reasons).toEqual([
      'onFailure export is for Lustre; a volume can be retained or released',
    ]);
  });

  it.each(['taskExport', 'autoExport'] as const)(
    'are not these: the export of a file system that failed, in %s',
    (mode) => {
      expect(resolve(mode, [request({ onFailure: 'export' })]).reasons).toEqual([]);
    },
  );
});
