import type { ModeSchedule } from '../../events';
import type { BusEntry } from '../../handlers';
import { virtualClock } from '../../sim/clock';
import { localSchedules, nextTime } from '../../sim/schedules';
import { advance } from '../support/builders';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const at = (time: string) => Date.parse(time);

/** The next times of an expression, as ISO 8601 to the minute. */
function timesOf(expression: string, from: string, { count = 3, timezone = 'UTC' } = {}) {
  const times: string[] = [];
  let after = at(from);
  for (let index = 0; index < count; index += 1) {
    const next = nextTime({ expression, timezone }, after, at(from));
    if (next === undefined) break;
    times.push(new Date(next).toISOString().slice(0, 16));
    after = next;
  }
  return times;
}

describe('the next times of an expression', () => {
  const FROM = '2026-11-20T08:00:00Z'; // a Friday
  it.each([
    ['cron(15 12 * * ? *)', ['2026-11-20T12:15', '2026-11-21T12:15', '2026-11-22T12:15']],
    ['cron(0 8 * * ? *)', ['2026-11-21T08:00', '2026-11-22T08:00', '2026-11-23T08:00']],
    ['cron(0/20 8 * * ? *)', ['2026-11-20T08:20', '2026-11-20T08:40', '2026-11-21T08:00']],
    ['cron(0 0 ? * 1 *)', ['2026-11-22T00:00', '2026-11-29T00:00', '2026-12-06T00:00']],
    ['cron(0 0 ? * SUN *)', ['2026-11-22T00:00', '2026-11-29T00:00', '2026-12-06T00:00']],
    ['cron(0 0 ? * 7 *)', ['2026-11-21T00:00', '2026-11-28T00:00', '2026-12-05T00:00']],
    ['cron(0 0 ? * L *)', ['2026-11-21T00:00', '2026-11-28T00:00', '2026-12-05T00:00']],
    ['cron(0 0 ? * MON-FRI *)', ['2026-11-23T00:00', '2026-11-24T00:00', '2026-11-25T00:00']],
    ['cron(0 0 ? * 6L *)', ['2026-11-27T00:00', '2026-12-25T00:00', '2027-01-29T00:00']],
    ['cron(0 0 ? * 3#2 *)', ['2026-12-08T00:00', '2027-01-12T00:00', '2027-02-09T00:00']],
    ['cron(0 0 L * ? *)', ['2026-11-30T00:00', '2026-12-31T00:00', '2027-01-31T00:00']],
    ['cron(0 0 15W * ? *)', ['2026-12-15T00:00', '2027-01-15T00:00', '2027-02-15T00:00']],
    ['cron(0 0 1 1 ? 2027-2028)', ['2027-01-01T00:00', '2028-01-01T00:00']],
    ['cron(0 0 29 FEB ? *)', ['2028-02-29T00:00', '2032-02-29T00:00', '2036-02-29T00:00']],
    ['cron(0 0 1 1 ? 2025)', []],
    ['rate(1 minute)', ['2026-11-20T08:01', '2026-11-20T08:02', '2026-11-20T08:03']],
    ['rate(2 days)', ['2026-11-22T08:00', '2026-11-24T08:00', '2026-11-26T08:00']],
  ])('%s', (expression, times) => {
    expect(timesOf(expression, FROM)).toEqual(times);
  });

  it('are on the nearest workday where the day is at a weekend', () => {
    const from = '2026-08-01T00:00:00Z';
    expect(timesOf('cron(0 0 15W * ? *)', from, { count: 2 })).toEqual([
      '2026-08-14T00:00',
      '2026-09-15T00:00',
    ]);
  });

  it('are those of the clocks of their zone', () => {
    const timezone = 'America/New_York';
    expect(timesOf('cron(0 9 * * ? *)', FROM, { timezone, count: 1 })).toEqual([
      '2026-11-20T14:00',
    ]);
  });

  it('go with the clocks through the end of summer time', () => {
    const timezone = 'Europe/Berlin';
    const times = timesOf('cron(0 9 * * ? *)', '2026-10-24T00:00:00Z', { timezone });
    expect(times).toEqual(['2026-10-24T07:00', '2026-10-25T08:00', '2026-10-26T08:00']);
  });

  it.each([
    ['cron(30 2 * * ? *)', ['2026-03-28T01:30', '2026-03-30T00:30', '2026-03-31T00:30']],
    ['cron(30 2,4 * * ? *)', ['2026-03-28T01:30', '2026-03-28T03:30', '2026-03-29T02:30']],
  ])('leave out what the clocks skip: %s', (expression, times) => {
    const timezone = 'Europe/Berlin';
    expect(timesOf(expression, '2026-03-28T00:00:00Z', { timezone })).toEqual(times);
  });

  it.each([
    ['cron(30 2 * * ? *)', ['2026-10-25T00:30', '2026-10-26T01:30', '2026-10-27T01:30']],
    ['cron(30 * * * ? *)', ['2026-10-25T00:30', '2026-10-25T02:30', '2026-10-25T03:30']],
  ])('come once where the clocks show them twice: %s', (expression, times) => {
    const timezone = 'Europe/Berlin';
    expect(timesOf(expression, '2026-10-25T00:00:00Z', { timezone })).toEqual(times);
  });

  it('come once where the clocks go back by half an hour', () => {
    const timezone = 'Australia/Lord_Howe';
    const times = timesOf('cron(45 * * * ? *)', '2026-04-04T14:00:00Z', { timezone, count: 2 });
    expect(times).toEqual(['2026-04-04T14:45', '2026-04-04T16:15']);
  });

  it('are not guessed where the expression is none', () => {
    expect(() => timesOf('cron(0 0 * * * *)', FROM)).toThrow(
      'the expression "cron(0 0 * * * *)" must have ? as its day of month',
    );
  });
});

describe('the schedules of a local cloud', () => {
  const nightly: ModeSchedule = {
    name: 'nightly',
    mode: 'onlyEBS',
    expression: 'cron(0 2 * * ? *)',
    request: { parameters: { ebsSizeGb: 10 } },
  };
  function running(...schedules: readonly ModeSchedule[]) {
    const clock = virtualClock(at('2026-11-20T01:30:40Z'));
    const entries: BusEntry[] = [];
    const bus = {
      async put(given: readonly BusEntry[]) {
        entries.push(...given);
        return given.map(() => true);
      },
    };
    return { clock, entries, close: localSchedules({ schedules, clock, bus }) };
  }
  const causesOf = (entries: readonly BusEntry[]) =>
    entries.map(({ detail }) => (detail as { cause: unknown }).cause);

  it('put the request of a schedule on the bus when it is due, with its planned time', async () => {
    const { clock, entries } = running(nightly);
    await advance(clock, HOUR_MS);
    expect(entries).toEqual([
      {
        source: 'ebbtide.schedule',
        detailType: 'RunRequested',
        detail: {
          mode: 'onlyEBS',
          parameters: { ebsSizeGb: 10 },
          cause: { schedule: { name: 'nightly', time: '2026-11-20T02:00:00.000Z' } },
        },
      },
    ]);
  });

  it('put nothing before it is due', async () => {
    const { clock, entries } = running(nightly);
    await advance(clock, 29 * MINUTE_MS);
    expect(entries).toEqual([]);
  });

  it('come again and again', async () => {
    const { clock, entries } = running(nightly);
    await advance(clock, 49 * HOUR_MS);
    expect(entries.length).toBe(3);
  });

  it('count a rate from their start, to the minute', async () => {
    const often = { ...nightly, name: 'often', expression: 'rate(5 minutes)', request: undefined };
    const { clock, entries } = running(often);
    await advance(clock, 11 * MINUTE_MS);
    expect(causesOf(entries)).toEqual([
      { schedule: { name: 'often', time: '2026-11-20T01:35:00.000Z' } },
      { schedule: { name: 'often', time: '2026-11-20T01:40:00.000Z' } },
    ]);
  });

  it('go each their own way', async () => {
    const { clock, entries } = running(nightly, {
      ...nightly,
      name: 'late',
      timezone: 'Asia/Tokyo',
    });
    await advance(clock, 24 * HOUR_MS);
    expect(causesOf(entries)).toEqual([
      { schedule: { name: 'nightly', time: '2026-11-20T02:00:00.000Z' } },
      { schedule: { name: 'late', time: '2026-11-20T17:00:00.000Z' } },
    ]);
  });

  it('do not catch up what passed before they ran', async () => {
    const { clock, entries } = running({ ...nightly, expression: 'cron(0 1 * * ? *)' });
    await advance(clock, 2 * HOUR_MS);
    expect(entries).toEqual([]);
  });

  it('end when they are told to', async () => {
    const { clock, entries, close } = running(nightly);
    close();
    await advance(clock, 48 * HOUR_MS);
    expect(entries).toEqual([]);
  });

  it('end although one has been due', async () => {
    const { clock, entries, close } = running(nightly);
    await advance(clock, HOUR_MS);
    close();
    await advance(clock, 48 * HOUR_MS);
    expect(entries.length).toBe(1);
  });
});
