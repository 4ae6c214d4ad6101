import fc from 'fast-check';
import {
  deploymentProblems,
  type Layer,
  readExpression,
  resolve,
  type Settings,
  schedulesOf,
  uploadsOf,
} from '../../events';
import { SETTINGS } from '../../sim/simulator';

const deployed = (values: Layer['values']): Layer => ({ name: 'cdk.json', deploys: true, values });
const reasonsOf = (values: Layer['values']) => resolve('onlyEBS', [deployed(values)]).reasons;
const daily = (changes: object = {}) => ({
  name: 'nightly',
  expression: 'rate(1 day)',
  ...changes,
});
const every = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('a schedule in cdk.json', () => {
  it.each([
    [daily()],
    [daily({ name: 'a'.repeat(24) })],
    [daily({ timezone: 'Europe/Berlin', request: { parameters: { ebsSizeGb: 10 }, jobs: [] } })],
    [daily({ expression: 'cron(0 2 * * ? *)', timezone: 'UTC' })],
  ])('may be %j', (schedule) => {
    expect(reasonsOf({ schedules: [schedule] })).toEqual([]);
  });

  it.each([
    [{ name: 'Nightly' }, '.name must be 1 to 24 of a-z, 0-9 and dash, got "Nightly"'],
    [{ name: 'a'.repeat(25) }, '.name must be 1 to 24'],
    [{ name: undefined }, '.name must be a text, got undefined'],
    [{ expression: 'daily' }, '.expression must be cron(minutes hours'],
    [{ expression: 5 }, '.expression must be a text, got 5'],
    [{ timezone: 'Mars/Olympus' }, '.timezone must be a time zone like Europe/Berlin'],
    [{ timezone: '+01:00' }, '.timezone must be a time zone like Europe/Berlin'],
    [{ request: { runId: 'x' } }, '.request has no field "runId": leave it out'],
    [{ request: { cause: {} } }, '.request has no field "cause": leave it out'],
    [{ request: { mode: 'onlyEBS' } }, '.request has no field "mode": leave it out'],
    [{ request: { parameters: [] } }, '.request.parameters must be an object'],
    [{ request: { jobs: {} } }, '.request.jobs must be a list of jobs'],
    [{ request: { parameters: { x: 'y'.repeat(40_000) } } }, '.request may have 30720 characters'],
    [{ cron: '* * *' }, ' has no field "cron": leave it out'],
  ])('is refused with its place and the rule: %j', (changes, said) => {
    const [reason] = reasonsOf({ schedules: [daily({ name: 'other' }), daily(changes)] });
    expect(reason).toContain(`cdk.json: schedules[1]${said}`);
  });

  it('must have a name of its own, for runs are named after it', () => {
    expect(reasonsOf({ schedules: [daily(), daily()] })).toEqual([
      'cdk.json: schedules[1].name is the name of another schedule, and runs are named after it, got "nightly": choose another',
    ]);
  });

  it.each(['x', {}, null, 5])('is one of a list, not %j', (schedules) => {
    expect(reasonsOf({ schedules })[0]).toContain('must be a list of at most 50 schedules');
  });

  it('is one of 50 at the most', () => {
    const schedules = every(1, 51).map((number) => daily({ name: `s${number}` }));
    expect([reasonsOf({ schedules: schedules.slice(1) }), reasonsOf({ schedules }).length]).toEqual(
      [[], 1],
    );
  });
});

describe('an upload prefix in cdk.json', () => {
  it.each([
    [{ prefix: 'in/' }],
    [{ prefix: 'in/scans-', suffix: '.tar', request: {} }],
    [{ prefix: 'x'.repeat(200) }],
  ])('may be %j', (upload) => {
    expect(reasonsOf({ uploads: [upload] })).toEqual([]);
  });

  it.each([
    ['', 'must begin with neither a slash nor a space, and not be empty, got ""'],
    ['/in/', 'must begin with neither a slash'],
    [' in/', 'must begin with neither a slash nor a space'],
    ['requests/', 'must lie beside requests/'],
    ['requests/mine/', 'must lie beside requests/'],
    ['req', 'must lie beside requests/'],
    ['x'.repeat(201), 'may have 200 characters'],
    [5, 'must be a text, got 5'],
  ])('is refused with its place and the rule: %j', (prefix, said) => {
    const [reason, ...more] = reasonsOf({ uploads: [{ prefix }] });
    expect([reason?.startsWith(`cdk.json: uploads[0].prefix ${said}`), more]).toEqual([true, []]);
  });

  it.each([
    [{ prefix: 'in/', suffix: '' }, '.suffix must not be empty'],
    [{ prefix: 'in/', mode: 'onlyEBS' }, ' has no field "mode"'],
    [{}, '.prefix must be a text'],
  ])('is refused as %j', (upload, said) => {
    expect(reasonsOf({ uploads: [upload] })[0]).toContain(`cdk.json: uploads[0]${said}`);
  });

  it.each([
    ['in/', 'in/scans/'],
    ['in/scans/', 'in/'],
    ['in', 'input'],
    ['in/', 'in/'],
  ])('and another do not contain one another: %s and %s', (one, other) => {
    const [reason] = reasonsOf({ uploads: [{ prefix: one }, { prefix: other }] });
    expect(reason).toContain(`uploads[1].prefix and the prefix ${JSON.stringify(one)} contain`);
  });
});

describe('a schedule expression', () => {
  it.each([
    ['rate(1 minute)', 1],
    ['rate(5 minutes)', 5],
    ['rate(1 hour)', 60],
    ['rate(2 days)', 2_880],
  ])('may be a rate: %s is every %i minutes', (text, minutes) => {
    expect(readExpression(text)).toEqual({ kind: 'rate', minutes });
  });

  const common = { kind: 'cron', minutes: [0], hours: [10], months: every(1, 12) };
  it.each([
    ['cron(0 10 * * ? *)', { days: { kind: 'days', days: every(1, 31) } }],
    ['cron(0 10 1,15 * ? *)', { days: { kind: 'days', days: [1, 15] } }],
    ['cron(0 10 L * ? *)', { days: { kind: 'last day' } }],
    ['cron(0 10 15W * ? *)', { days: { kind: 'workday near', day: 15 } }],
    ['cron(0 10 ? * MON-FRI *)', { days: { kind: 'weekdays', weekdays: [2, 3, 4, 5, 6] } }],
    ['cron(0 10 ? * 1,7 *)', { days: { kind: 'weekdays', weekdays: [1, 7] } }],
    ['cron(0 10 ? * L *)', { days: { kind: 'weekdays', weekdays: [7] } }],
    ['cron(0 10 ? * 6L *)', { days: { kind: 'last weekday', weekday: 6 } }],
    ['cron(0 10 ? * FRIL *)', { days: { kind: 'last weekday', weekday: 6 } }],
    ['cron(0 10 ? * 3#2 *)', { days: { kind: 'nth weekday', weekday: 3, nth: 2 } }],
    [
      'cron(1/15 10 ? * 1 *)',
      { minutes: [1, 16, 31, 46], days: { kind: 'weekdays', weekdays: [1] } },
    ],
    ['cron(0 8-18/5 ? * 1 *)', { hours: [8, 13, 18], days: { kind: 'weekdays', weekdays: [1] } }],
    ['cron(0 10 1 JAN,JUL ? *)', { months: [1, 7], days: { kind: 'days', days: [1] } }],
    ['cron(0  10 1 */6 ? *)', { months: [1, 7], days: { kind: 'days', days: [1] } }],
    [
      'cron(0 10 1 * ? 2027-2029)',
      { years: [2027, 2028, 2029], days: { kind: 'days', days: [1] } },
    ],
  ])('may be a cron expression: %s', (text, said) => {
    expect(readExpression(text)).toEqual({ ...common, ...said });
  });

  it.each([
    ['at(2026-11-20T08:00:00)', 'must be cron('],
    ['0 10 * * ? *', 'must be cron('],
    ['rate(1 minutes)', 'must have a rate like'],
    ['rate(5 minute)', 'must have a rate like'],
    ['rate(0 minutes)', 'must have a rate like'],
    ['rate(2 weeks)', 'must have a rate like'],
    ['rate(367 days)', 'may be due once a year at least'],
    ['cron(0 10 * * ?)', 'must have six fields'],
    ['cron(0 0 10 * * ? *)', 'must have six fields'],
    ['cron(0 10 * * * *)', 'must have ? as'],
    ['cron(0 10 ? * ? *)', 'must have ? as'],
    ['cron(60 10 * * ? *)', 'has "60" as its minutes, which must be 0-59'],
    ['cron(0 24 * * ? *)', 'has "24" as its hours, which must be 0-23'],
    ['cron(0 10 32 * ? *)', 'has "32" as its day of month, which must be 1-31'],
    ['cron(0 10 32W * ? *)', 'has "32W" as its day of month'],
    ['cron(0 10 L,1 * ? *)', 'has "L,1" as its day of month'],
    ['cron(0 10 1 13 ? *)', 'has "13" as its month, which must be 1-12 or JAN-DEC'],
    ['cron(0 10 1 jan ? *)', 'has "jan" as its month'],
    ['cron(0 10 ? * 0 *)', 'has "0" as its day of week, which must be 1-7 or SUN-SAT'],
    ['cron(0 10 ? * FRI-MON *)', 'has "FRI-MON" as its day of week'],
    ['cron(0 10 ? * 2/2 *)', 'has "2/2" as its day of week'],
    ['cron(0 10 ? * 3#6 *)', 'has "3#6" as its day of week'],
    ['cron(0 10 ? * 3#1,6#3 *)', 'has "3#1,6#3" as its day of week'],
    ['cron(0 10 * * ? 1969)', 'has "1969" as its year, which must be 1970-2199'],
    ['cron(*/0 10 * * ? *)', 'has "*/0" as its minutes'],
    ['cron(5-1 10 * * ? *)', 'has "5-1" as its minutes'],
    [`cron(${'0,'.repeat(150)}0 10 * * ? *)`, 'has more than 256 characters'],
  ])('is refused with what is wrong: %s', (text, said) => {
    expect(readExpression(text)).toMatchObject({
      kind: 'wrong',
      reason: expect.stringContaining(said),
    });
  });

  it('is read or refused, whatever it is', () => {
    const field = fc.stringMatching(/^[0-9A-Z*,/#?-]{0,6}$/);
    const text = fc.array(field, { maxLength: 7 }).map((fields) => `cron(${fields.join(' ')})`);
    fc.assert(
      fc.property(fc.oneof(fc.string(), text), (each) => {
        expect(['rate', 'cron', 'wrong']).toContain(readExpression(each).kind);
      }),
    );
  });
});

describe('a deployment', () => {
  const stack = (onlyEBS: Layer['values'], taskExport: Layer['values'] = {}): Settings => ({
    ...SETTINGS,
    modes: ['onlyEBS', 'taskExport'],
    repositories: { onlyEBS: 'image', taskExport: 'image' },
    intakeBucket: 'intake',
    layers: { onlyEBS: [deployed(onlyEBS)], taskExport: [deployed(taskExport)] },
  });

  it('has the schedules and prefixes of all its modes', () => {
    const settings = stack({ schedules: [daily()] }, { uploads: [{ prefix: 'in/' }] });
    expect([schedulesOf(settings), uploadsOf(settings)]).toEqual([
      [{ ...daily(), mode: 'onlyEBS' }],
      [{ prefix: 'in/', mode: 'taskExport' }],
    ]);
  });

  it('has none that only a secret names', () => {
    const secret = { name: 'the secret x', deploys: false, values: { schedules: [daily()] } };
    expect(schedulesOf({ ...SETTINGS, layers: { onlyEBS: [secret] } })).toEqual([]);
  });

  it('with nothing wrong has no problems', () => {
    const settings = stack({ schedules: [daily()], uploads: [{ prefix: 'a/' }] }, { uploads: [] });
    expect(deploymentProblems(settings)).toEqual([]);
  });

  it.each([
    [
      'a name in two modes',
      stack({ schedules: [daily()] }, { schedules: [daily()] }),
      'the schedule nightly is in onlyEBS and in taskExport: choose another name',
    ],
    [
      'prefixes of two modes that contain one another',
      stack({ uploads: [{ prefix: 'in/' }] }, { uploads: [{ prefix: 'in/a' }] }),
      'the upload prefixes in/ of onlyEBS and in/a of taskExport contain one another: part them',
    ],
    [
      'a schedule whose request will be refused',
      stack({ schedules: [daily({ request: { parameters: { ebsSizeGb: 0 } } })] }),
      'the schedule nightly asks for what will be refused: the request: ebsSizeGb must be',
    ],
    [
      'an upload whose request will be refused',
      stack({ uploads: [{ prefix: 'in/', request: { jobs: [{}] } }] }),
      'the upload prefix in/ asks for what will be refused: jobs[0]: name must be',
    ],
    ['a section that is wrong', stack({}, { ebsSizeGb: 1 }), 'taskExport: cdk.json: ebsSizeGb is'],
  ])('says what is wrong before anybody asks: %s', (_title, settings, said) => {
    const problems = deploymentProblems(settings);
    expect([problems.length, problems[0]]).toEqual([1, expect.stringContaining(said)]);
  });
});
