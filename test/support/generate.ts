import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedFiles } from './generated';

/** `npm run generate` writes the generated files; with --check it only says which are stale. */
const ROOT = join(__dirname, '..', '..');
const SCHEMAS = 'events/schemas';

function main(isCheck: boolean): void {
  const files = generatedFiles(readFileSync(join(ROOT, 'README.md'), 'utf8'));
  const there = existsSync(join(ROOT, SCHEMAS)) ? readdirSync(join(ROOT, SCHEMAS)) : [];
  const surplus = there.map((name) => `${SCHEMAS}/${name}`).filter((path) => !files.has(path));
  const stale = [...files].filter(([path, content]) => contentOf(path) !== content);
  if (isCheck) return report([...stale.map(([path]) => path), ...surplus]);
  for (const path of surplus) rmSync(join(ROOT, path));
  for (const [path, content] of stale) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), content);
  }
  process.stdout.write(`${stale.length} files written, ${surplus.length} removed\n`);
}

function contentOf(path: string): string | undefined {
  return existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), 'utf8') : undefined;
}

function report(paths: readonly string[]): void {
  if (paths.length === 0) return;
  process.stderr.write(
    `stale, run npm run generate:\n${paths.map((path) => `  ${path}\n`).join('')}`,
  );
  process.exitCode = 1;
}

main(process.argv.includes('--check'));
