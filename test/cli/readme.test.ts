import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ebb, tempHome } from '../support/cli';
import { generatedFiles } from '../support/generated';

const ROOT = join(__dirname, '..', '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** What a line says, without its times, ids and numbers. */
function gist(line: string): string {
  return line
    .replace(/^ *(\d\d:\d\d:\d\d)? */, '')
    .replace(/vol-\w+|i-0\w+|us-east-1\w|run-\w+|\$?[\d.]+(m\d+s|s)?/g, '#')
    .trim();
}

describe('the README', () => {
  it('shows the demo as it really goes, to a result that is right byte for byte', async () => {
    const [, block = ''] = README.split('<!-- checked: demo -->')[1]?.split('```') ?? [];
    const home = tempHome();
    const { code, out, said } = await ebb(
      home.path,
      'local',
      'run',
      '--interrupt',
      '2',
      '--speed',
      '200',
    );
    expect(out).toContain('The result is in the bucket, right byte for byte.');
    expect(readdirSync(join(home.path, 'volumes'))).toEqual([]);
    expect(code).toBe(0);
    home.remove();
    const real = `${said}\n${out}`.split('\n').map(gist);
    // What the job itself says depends on the moment of the interruption.
    const shown = block.split('\n').filter((line) => line.trim() !== '' && !line.includes('|'));
    expect(shown.map(gist).filter((line) => !real.includes(line))).toEqual([]);
  });

  it('names only commands that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const named = [...README.matchAll(/npm (?:run )?(demo|test|check|generate)\b/g)].map(
      ([, name]) => name,
    );
    expect(named.filter((name) => name && !(name in scripts))).toEqual([]);
    expect(named.length).toBeGreaterThan(1);
  });

  it('is at most 150 lines long', () => {
    expect(README.split('\n').length).toBeLessThanOrEqual(151);
  });
});

describe('the generated files', () => {
  it.each([...generatedFiles(README)])('%s is not stale', (path, content) => {
    expect(readFileSync(join(ROOT, path), 'utf8')).toBe(content);
  });
});
