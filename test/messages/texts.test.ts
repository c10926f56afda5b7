/** Every code that the core can give has a sentence, read from the core's sources so that none is forgotten. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { ALERTS, COMMISSIONING, charger, REASONS, sentence } from '../../messages/index.ts';

const CORE = join(dirname(fileURLToPath(import.meta.url)), '../../core');
type Table = Readonly<Record<string, readonly [string, string]>>;
const TABLES = { reasons: REASONS, alerts: ALERTS, commissioning: COMMISSIONING };

interface Given {
  table: 'reasons' | 'alerts' | 'commissioning';
  code: string;
  /** Names of its args where the source lists them. */
  args?: string[];
}

/** All codes in a source: of `{ code, args }`, of `part(role, cap, code, args)`, of `add(source, code, severity, args)`. */
function codesIn(file: string, text: string): Given[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Given[] = [];
  const table = file.startsWith('commissioning') ? ('commissioning' as const) : ('reasons' as const);
  const visit = (node: ts.Node): void => {
    if (ts.isObjectLiteralExpression(node)) {
      const code = property(node, 'code');
      if (code)
        for (const name of values(code))
          found.push({ table, code: name, args: written(table, property(node, 'args')) });
    } else if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const { text: name } = node.expression;
      const [, second, third, fourth] = node.arguments;
      if (name === 'part' && third)
        for (const code of values(third)) found.push({ table: 'reasons', code, args: keys(fourth) });
      if (name === 'add' && fourth)
        for (const code of values(second)) found.push({ table: 'alerts', code, args: keys(fourth) });
    } else if (
      ts.isPropertySignature(node) &&
      node.name.getText() === 'cause' &&
      node.type &&
      ts.isUnionTypeNode(node.type)
    ) {
      // The guard's node names its alerts after the cause.
      for (const type of node.type.types)
        if (ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal))
          found.push({ table: 'alerts', code: `guard-${type.literal.text}` });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function property(node: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  const found = node.properties.find((p) => ts.isPropertyAssignment(p) && p.name.getText() === name);
  return found && ts.isPropertyAssignment(found) ? found.initializer : undefined;
}

/** What an expression can be. */
function values(node: ts.Expression): string[] {
  if (ts.isStringLiteral(node)) return [node.text];
  if (ts.isConditionalExpression(node)) return [...values(node.whenTrue), ...values(node.whenFalse)];
  if (ts.isIdentifier(node) && node.text === 'undefined') return [];
  if (node.getText() === '`stopped-${report.stoppedBy}`')
    return charger.shape.stoppedBy.unwrap().options.map((by) => `stopped-${by}`);
  throw new Error(
    `${node.getSourceFile().fileName}: ${node.getText()} — expected a code that can be read from the source`,
  );
}

/** The check often shares its args among sentences: its own tests see to it that every gap is filled. */
function written(table: Given['table'], node: ts.Expression | undefined): string[] | undefined {
  const plain = node && ts.isObjectLiteralExpression(node) && !node.properties.some(ts.isSpreadAssignment);
  return table === 'commissioning' && !plain ? undefined : keys(node);
}

function keys(node: ts.Expression | undefined): string[] {
  if (!node) return [];
  assert.ok(ts.isObjectLiteralExpression(node), node.getText());
  return node.properties.map((p) => p.name?.getText() ?? '');
}

const gaps = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

/** What is wrong with the sentences for the codes given, in words. */
function problems(given: readonly Given[], tables: Record<Given['table'], Table>): string[] {
  return given.flatMap(({ table, code, args }) => {
    const texts = Object.hasOwn(tables[table], code) ? tables[table][code] : undefined;
    if (!texts?.every((text) => text.trim() !== '')) return [`${code}: no sentence in both languages`];
    const [english, german] = texts.map(gaps);
    if (english.join() !== german.join()) return [`${code}: the languages have different gaps`];
    return english.filter((gap) => args && !args.includes(gap)).map((gap) => `${code}: {${gap}} is not in its args`);
  });
}

describe('sentences', () => {
  const files = readdirSync(CORE, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.ts'));
  const given = files.flatMap((file) => codesIn(file, readFileSync(join(CORE, file), 'utf8')));

  it('every reason and alert of the core has one in both languages, with the args it gets', () => {
    assert.deepEqual(problems(given, TABLES), []);
  });

  it('the codes are really found', () => {
    const codes = new Set(given.map(({ code }) => code));
    const known = [
      'no-vehicle',
      'limit-set',
      'idle',
      'vehicle-maximum',
      'waits-turn',
      'held-by-policy',
      'stopped-energy',
    ];
    for (const code of [...known, 'shared', 'overload', 'charger-reserved', 'guard-budget'])
      assert.ok(codes.has(code), code);
    assert.ok(codes.size >= 35, `${codes.size}`);
  });

  it('none is kept that nobody gives', () => {
    const codes = new Set(given.map(({ code }) => code));
    assert.deepEqual(
      Object.values(TABLES).flatMap((table) => Object.keys(table).filter((code) => !codes.has(code))),
      [],
    );
  });

  it('is noticed when one is missing or asks for too much', () => {
    const { idle: _, ...reasons } = REASONS;
    assert.deepEqual(problems(given, { ...TABLES, reasons }), ['idle: no sentence in both languages']);
    const greedy = { ...REASONS, paused: ['paused by {user}', 'pausiert von {user}'] } as Table;
    assert.deepEqual(problems(given, { ...TABLES, reasons: greedy }), ['paused: {user} is not in its args']);
    assert.deepEqual(
      codesIn('a.ts', "const a = { code: b ? 'x' : 'y', args: { c: 1 } }").map((g) => g.code),
      ['x', 'y'],
    );
    assert.throws(() => codesIn('a.ts', 'const a = { code: kind, args: {} }'), /kind/);
  });

  it('fills its gaps', () => {
    assert.equal(
      sentence(REASONS, 'de', 'waits-turn', { minutes: 4 }),
      'wartet, bis es an der Reihe ist: höchstens 4 min',
    );
    assert.equal(sentence(REASONS, 'en-US', 'limit', { circuit: 'main', phase: '' }), 'limit on main');
  });
});
