import assert from 'node:assert/strict';
import type { DlmCircuitNode } from '../../nodes/dlm-circuit/dlm-circuit.ts';
import type { DlmSiteNode } from '../../nodes/dlm-site/dlm-site.ts';
import { helper, load, logged, MAIN, SITE } from './helper.ts';

const circuit = (id = 'main-node') => helper.getNode(id) as unknown as DlmCircuitNode;
const site = () => helper.getNode('site') as unknown as DlmSiteNode;

describe('dlm-circuit', () => {
  before((done) => {
    helper.startServer(done);
  });
  after((done) => {
    helper.stopServer(done);
  });
  afterEach(() => helper.unload());

  it('registers with its site, defaults filled in', async () => {
    await load([SITE, MAIN]);
    assert.deepEqual(site().registry.circuits(), [
      {
        id: 'main',
        rating: 25,
        phases: ['L1', 'L2', 'L3'],
        device: 'gG',
        derating: 1,
        margin: 'auto',
        jump: 'learned',
        meterIncludesChargers: true,
        generation: false,
        exportIsRoom: false,
        fallbackLoad: 0,
      },
    ]);
    assert.equal(circuit().siteNode, site());
  });

  it('knows the circuit that feeds it', async () => {
    const row = { ...MAIN, id: 'row-node', circuitId: 'row', rating: 16, parent: 'main-node', meter: 'row-meter' };
    await load([SITE, row, MAIN]);
    assert.equal(circuit('row-node').config?.parent, 'main');
    assert.equal(circuit('row-node').config?.meter, 'row-meter');
  });

  const refused: [string, Record<string, unknown>, RegExp][] = [
    ['no rating', { rating: '' }, /rating: "" — expected 1 to 2000 A/],
    ['an id with a blank', { circuitId: 'main fuse' }, /circuitId: "main fuse"/],
    ['an unknown device', { device: 'NH' }, /device: "NH" — expected one of gG, B, C, D, table/],
    ['a curve of nothing', { device: 'table', curve: '' }, /curve: "" — expected at least one point/],
    ['a curve line of words', { device: 'table', curve: '1.45 1h' }, /curve: "1.45 1h" — expected lines such as/],
    ['a phase twice', { phases: 'L1,L1' }, /phases: "L1,L1"/],
    ['a margin above the rating', { marginMode: 'fixed', margin: '30' }, /margin: "30" — expected 0 to 25 A/],
    ['export as room without generation', { exportIsRoom: true }, /exportIsRoom/],
    ['a parent that is no circuit', { parent: 'site' }, /parent: "site"/],
    ['no site', { site: '' }, /site: "" — expected a site node/],
  ];
  for (const [what, fields, text] of refused) {
    it(`says what is wrong with ${what} and registers nothing`, async () => {
      await load([SITE, { ...MAIN, ...fields }]);
      assert.match(logged('main-node', 'error').join(), text);
      assert.equal(circuit().config, undefined);
      assert.deepEqual(site().registry.circuits(), []);
    });
  }

  it('refuses an id that another circuit has', async () => {
    await load([SITE, MAIN, { ...MAIN, id: 'second' }]);
    assert.equal(site().registry.circuits().length, 1);
    assert.match([...logged('second', 'error'), ...logged('main-node', 'error')].join(), /circuitId: "main"/);
  });

  it('is gone from the site when it is closed', async () => {
    await load([SITE, MAIN]);
    const { registry } = site();
    let changes = 0;
    registry.on('change', () => changes++);
    await (circuit() as unknown as { close(): Promise<void> }).close();
    assert.deepEqual(registry.circuits(), []);
    assert.equal(changes, 1);
  });

  describe('figures for the form', () => {
    const get = (query: string) => helper.request().get(`/fusewise/protection?${query}`);

    it('keeps nothing free before a gG fuse that absorbs the jump', async () => {
      await load([SITE, MAIN]);
      const { body } = await get('rating=25&device=gG&jumpMode=configured&jump=13').expect(200);
      assert.equal(body.margin, 0);
      assert.equal(body.usable, 25);
      assert.ok(body.absorbedFor > body.reactionSeconds, JSON.stringify(body));
    });

    it('keeps room before a breaker, so that the jump is absorbed for the reaction time', async () => {
      await load([SITE, MAIN]);
      const { body } = await get('rating=25&device=B&jumpMode=configured&jump=8&reactionSeconds=7').expect(200);
      assert.ok(body.margin > 3 && body.margin < 25, JSON.stringify(body));
      assert.ok(Math.abs(body.absorbedFor - 7) < 0.01, JSON.stringify(body));
      assert.ok(Math.abs(body.largestJump - 8) < 0.01, JSON.stringify(body));
    });

    it('shows a fixed margin beside the one that physics asks for', async () => {
      await load([SITE, MAIN]);
      const { body } = await get('rating=25&device=B&jumpMode=configured&jump=16&marginMode=fixed&margin=2').expect(
        200,
      );
      assert.equal(body.margin, 2);
      assert.ok(body.physicalMargin > 2 && body.absorbedFor < body.reactionSeconds, JSON.stringify(body));
    });

    it('uses what an environment variable was deployed as, of this circuit only', async () => {
      await load([SITE, { ...MAIN, rating: '32' }]);
      const { body } = await get(`id=main-node&rating=${encodeURIComponent('${MAIN_FUSE_A}')}&device=gG`).expect(200);
      assert.equal(body.limit, 32);
      await get(`rating=${encodeURIComponent('${HOME}')}&device=gG`).expect(400);
    });

    it('names the field that cannot be used', async () => {
      await load([SITE, MAIN]);
      const { body } = await get('rating=many&device=gG').expect(400);
      assert.equal(body.field, 'rating');
      assert.match(body.message, /many/);
    });
  });
});
