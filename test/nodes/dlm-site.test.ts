import assert from 'node:assert/strict';
import type { DlmSiteNode } from '../../nodes/dlm-site/dlm-site.ts';
import { ConfigError, SiteRegistry } from '../../nodes/dlm-site/registry.ts';
import { helper, load, logged, SITE } from './helper.ts';

const site = () => helper.getNode('site') as unknown as DlmSiteNode;

describe('dlm-site', () => {
  afterEach(() => helper.unload());

  it('takes its fields over, numbers from text', async () => {
    await load([{ ...SITE, voltage: '235', currency: 'chf', language: 'de' }]);
    const { voltage, currency, language, timeZone } = site().settings;
    assert.deepEqual(
      { voltage, currency, language, timeZone },
      {
        voltage: 235,
        currency: 'CHF',
        language: 'de',
        timeZone: 'Europe/Berlin',
      },
    );
    assert.equal(site().registry.voltage, 235);
    assert.equal(site().registry.language, 'de');
  });

  it('uses the default of a field that cannot be used, and says so', async () => {
    await load([{ ...SITE, voltage: 'high', timeZone: 'Berlin', currency: '€', language: 'fr' }]);
    const { voltage, timeZone, currency, language } = site().settings;
    assert.deepEqual([voltage, timeZone, currency, language], [230, 'UTC', 'EUR', 'en-US']);
    const errors = logged('site', 'error').join('\n');
    for (const field of ['voltage: "high"', 'timeZone: "Berlin"', 'currency: "€"', 'language: "fr"']) {
      assert.ok(errors.includes(field), errors);
    }
  });

  it('leaves no listener behind', async () => {
    await load([SITE]);
    const { registry } = site();
    registry.on('change', () => undefined);
    await helper.unload();
    assert.equal(registry.listenerCount('change'), 0);
  });
});

describe('site registry', () => {
  const circuit = { id: 'main', rating: 25, device: 'gG' as const };
  const charger = { id: 'wallbox', circuit: 'main', rotation: ['L1' as const], min: 6, max: 16, safe: 6 };
  let registry: SiteRegistry;
  let changes: number;

  beforeEach(() => {
    registry = new SiteRegistry();
    changes = 0;
    registry.on('change', () => changes++);
  });

  it('tells every change once', () => {
    registry.addCircuit(circuit);
    registry.addCharger(charger);
    registry.removeCharger('wallbox');
    registry.removeCharger('wallbox');
    registry.removeCircuit('main');
    assert.equal(changes, 4);
  });

  it('refuses an id that is taken or invalid, and stays as it was', () => {
    registry.addCircuit(circuit);
    registry.addCharger(charger);
    assert.throws(() => registry.addCircuit({ ...circuit, rating: 63 }), ConfigError);
    assert.throws(() => registry.addCharger({ ...charger, max: 32 }), /chargerId: "wallbox"/);
    assert.throws(() => registry.addCircuit({ ...circuit, id: '../x' }), /circuitId/);
    assert.equal(registry.circuits()[0].rating, 25);
    assert.equal(registry.chargers()[0].max, 16);
    assert.equal(changes, 2);
  });

  it('refuses circuits that feed each other', () => {
    registry.addCircuit({ ...circuit, parent: 'row' });
    assert.throws(() => registry.addCircuit({ ...circuit, id: 'row', parent: 'main' }), /parent/);
    assert.throws(() => registry.addCircuit({ ...circuit, id: 'x', parent: 'x' }), /parent/);
    registry.addCircuit({ ...circuit, id: 'row' });
  });

  it('refuses a charger that no set-point can be right for', () => {
    const wrong = [{ max: 5 }, { min: 0 }, { safe: 20 }, { safe: -1 }, { rotation: [] }, { max: Number.NaN }];
    for (const fields of wrong) {
      assert.throws(() => registry.addCharger({ ...charger, ...fields }), ConfigError, JSON.stringify(fields));
    }
    assert.throws(() => registry.addCharger({ ...charger, rotation: ['L1', 'L1'] }), /rotation: "L1,L1"/);
  });
});
