import type { Mode } from '../contract';
import type { JobSpec } from '../jobs';
import { shown } from './words';

/** What is wrong with how jobs wait for each other: with whom, in which way, and what fits a volume. */
export function badOrder(specs: readonly JobSpec[], mode: Mode): string[] {
  const names = specs.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length > 0) return [`job names must be unique, got ${twice.join(', ')} twice`];
  const unknown = specs.flatMap((spec) => badNames(spec, names));
  if (unknown.length > 0) return unknown;
  const unequal = specs.flatMap((spec) => [...badSequence(spec), ...badPairs(spec, specs)]);
  if (unequal.length > 0) return unequal;
  const order = inOrder(specs);
  if (!order)
    return [`jobs ${circleOf(specs).join(', ')} depend on each other in a circle: break it`];
  return mode === 'onlyEBS' ? notAChain(order) : [];
}

/** Every job that this one waits for, in whatever way. */
function awaitedBy({ dependsOn, nToN = [] }: JobSpec): readonly string[] {
  return [...dependsOn, ...nToN];
}

function badNames(spec: JobSpec, names: readonly string[]): string[] {
  const { name } = spec;
  return awaitedBy(spec)
    .filter((other) => other === name || !names.includes(other))
    .map((other) => `job ${name} depends on ${shown(other)}, which is not another job of this run`);
}

function badSequence({ name, sequential, arraySize }: JobSpec): string[] {
  if (!sequential || arraySize !== undefined) return [];
  return [
    `job ${name} is a single job, and SEQUENTIAL orders the tasks of an array: give it an arraySize, or leave SEQUENTIAL out`,
  ];
}

/** Batch pairs tasks by their index: both must be arrays, and as large. */
function badPairs({ name, arraySize, nToN = [] }: JobSpec, specs: readonly JobSpec[]): string[] {
  return nToN.flatMap((other) => {
    const size = specs.find((each) => each.name === other)?.arraySize;
    if (arraySize !== undefined && arraySize === size) return [];
    return [
      `job ${name} waits N_TO_N for ${other}, and both must be arrays of one size, got ${sizeOf(arraySize)} and ${sizeOf(size)}: give them the same arraySize, or depend on "${other}" as a whole`,
    ];
  });
}

function sizeOf(arraySize: number | undefined): string {
  return arraySize === undefined ? 'a single job' : `${arraySize} tasks`;
}

function inOrder(specs: readonly JobSpec[]): JobSpec[] | undefined {
  const order: JobSpec[] = [];
  while (order.length < specs.length) {
    const done = order.map(({ name }) => name);
    const next = specs.find(
      (spec) => !done.includes(spec.name) && awaitedBy(spec).every((each) => done.includes(each)),
    );
    if (!next) return undefined;
    order.push(next);
  }
  return order;
}

/** What is left when everything is taken away that waits for nobody, or that nobody waits for. */
function circleOf(specs: readonly JobSpec[]): string[] {
  const left = new Map(specs.map((spec) => [spec.name, awaitedBy(spec)]));
  const isLoose = (name: string, awaited: readonly string[]) =>
    !awaited.some((each) => left.has(each)) ||
    ![...left.values()].some((others) => others.includes(name));
  for (let rounds = 0; rounds < specs.length; rounds += 1) {
    for (const [name, awaited] of left) if (isLoose(name, awaited)) left.delete(name);
  }
  return [...left.keys()];
}

/** A volume is at one host at a time: nothing may run beside anything, and tasks not beside each other. */
function notAChain(order: readonly JobSpec[]): string[] {
  const array = order.find(({ arraySize, sequential }) => arraySize !== undefined && !sequential);
  if (array) {
    return [
      `job ${array.name} is an array, and a gp3 volume fits one host at a time: let its tasks run one after another with { "type": "SEQUENTIAL" } in dependsOn, or use taskExport or autoExport`,
    ];
  }
  return order.flatMap(({ name, dependsOn }, index) => {
    const before = order[index - 1];
    if (!before || dependsOn.includes(before.name)) return [];
    return [
      `jobs ${before.name} and ${name} could run at once, and a gp3 volume fits one host at a time: let ${name} depend on ${before.name}, or use taskExport or autoExport`,
    ];
  });
}
