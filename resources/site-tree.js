/**
 * The site as it stands in the editor, deployed or not: its circuits as a tree, its chargers, and what cannot work.
 * `FusewiseSite.show(container, site, edited)` is for the forms of the palette's nodes.
 */
(() => {
  const text = (key, args) => RED._(`@fusewise/node-red-dlm/dlm-site:dlm-site.tree.${key}`, args);
  const CIRCUIT = ['name', 'circuitId', 'parent', 'rating', 'phases', 'device', 'meter', 'fallbackLoad'];
  const CHARGER = [
    'name',
    'chargerId',
    'circuit',
    'rotation',
    'minCurrent',
    'maxCurrent',
    'safeCurrent',
    'priority',
    'phaseSwitching',
  ];

  /**
   * The chargers that a node of the editor stands for, with the fields of a charger's form; `circuit` is the node of their circuit,
   * or the circuit's id where the form names that. None for nodes of other kinds.
   */
  function chargersOf(node) {
    if (node.d) return [];
    if (node.chargerId !== undefined) return [node];
    if (node.type !== 'ocpp-central') return [];
    return (Array.isArray(node.stations) ? node.stations : []).flatMap((station) => {
      const many = Math.min(Math.max(Math.floor(Number(station.connectors)) || 1, 1), 20);
      const circuit = circuitWith(station.circuit, node.site);
      return Array.from({ length: many }, (_, i) => ({
        ...station,
        id: node.id,
        name: '',
        chargerId: `${station.identity}-${i + 1}`,
        circuit,
      }));
    });
  }

  function circuitWith(circuitId, site) {
    let found = circuitId;
    RED.nodes.eachConfig((node) => {
      if (node.type === 'dlm-circuit' && node.site === site && node.circuitId === circuitId) found = node.id;
    });
    return found;
  }

  /** `edited`: `{ id, type, fields }` of the node whose form is open, as typed. */
  function draft(site, edited) {
    const now = (node) => (edited && edited.id === node.id ? { ...node, ...edited.fields, id: node.id } : node);
    const pick = (node, names) => Object.fromEntries([['node', node.id], ...names.map((name) => [name, node[name]])]);
    const circuits = [];
    RED.nodes.eachConfig((node) => {
      if (node.type === 'dlm-circuit' && now(node).site === site) circuits.push(now(node));
    });
    if (edited && edited.type === 'dlm-circuit' && edited.fields.site === site && !RED.nodes.node(edited.id))
      circuits.push({ ...edited.fields, id: edited.id });
    const ids = new Set(circuits.map((node) => node.id));
    const chargers = [];
    RED.nodes.eachNode((node) => {
      const of = now(node);
      // A charger without a circuit belongs to no site yet: every site shows it as what cannot work.
      const here = ({ circuit }) => ids.has(circuit) || (!RED.nodes.node(circuit) && (of.site ?? site) === site);
      chargers.push(...chargersOf(of).filter(here));
    });
    return { circuits: circuits.map((n) => pick(n, CIRCUIT)), chargers: chargers.map((n) => pick(n, CHARGER)) };
  }

  function chargerItem(charger) {
    const { rotation, min, max, safe } = charger;
    const facts = text('charger', { phases: rotation.join(' '), min, max, safe });
    return $('<li>').append(line('fa-plug', charger.name || charger.id, facts));
  }

  function line(icon, name, facts) {
    const head = $('<span>').addClass('fusewise-tree-name').text(name);
    return $('<div>').append($('<i>').addClass(`fa ${icon}`), ' ', head, ' ', $('<small>').text(facts));
  }

  function circuitItem(circuit, site, current) {
    const { rating, device, meter } = circuit;
    const facts = [text('circuit', { rating, device: text(`device.${device}`) })];
    facts.push(meter ? text('meter', { meter }) : text('noMeter'));
    const own = line('fa-shield', circuit.name || circuit.id, facts.join(' · ')).toggleClass(
      'fusewise-tree-own',
      circuit.node === current,
    );
    const below = $('<ul>').append(
      site.circuits.filter((c) => c.parent === circuit.id).map((c) => circuitItem(c, site, current)),
      site.chargers.filter((c) => c.circuit === circuit.id).map(chargerItem),
    );
    return $('<li>').append(own, below.children().length > 0 ? below : null);
  }

  function draw(container, site, current) {
    const known = new Set(site.circuits.map((c) => c.id));
    const roots = site.circuits.filter((c) => !known.has(c.parent));
    const problems = site.problems.map(({ code, args }) => $('<li>').text(text(`problem.${code}`, args)));
    container.empty().append($('<div>').addClass('fusewise-tree-title').text(text('title')));
    if (problems.length > 0)
      container.append($('<ul>').addClass('fusewise-tree-problems').attr('role', 'alert').append(problems));
    if (roots.length === 0) container.append($('<div>').text(text('empty')));
    container.append(
      $('<ul>')
        .addClass('fusewise-tree')
        .append(roots.map((c) => circuitItem(c, site, current))),
    );
    if (problems.length === 0 && site.chargers.length > 0)
      container.append($('<div>').addClass('fusewise-tree-good').text(text('good')));
  }

  let asked = 0;
  window.FusewiseSite = {
    chargersOf,
    /** Draws the site into `container`, with the node whose form is open marked and as typed. */
    show(container, site, edited) {
      const mine = ++asked;
      container.addClass('fusewise-site').data('asked', mine);
      $.ajax({
        url: 'fusewise/site',
        method: 'POST',
        contentType: 'application/json',
        data: JSON.stringify(draft(site, edited)),
      })
        .done((answer) => container.data('asked') === mine && draw(container, answer, edited?.id))
        .fail(() => container.data('asked') === mine && container.empty().text(text('failed')));
    },
  };

  $('<style>')
    .text(
      '.fusewise-site { margin: 10px 0; padding: 8px 12px; border: 1px solid var(--red-ui-secondary-border-color, #ccc); border-radius: 4px; }' +
        '.fusewise-tree-title { font-weight: 600; margin-bottom: 4px; }' +
        '.fusewise-tree, .fusewise-tree ul { list-style: none; margin: 0 0 0 16px; }' +
        '.fusewise-tree { margin-left: 0; }' +
        '.fusewise-tree li { padding: 2px 0; overflow-wrap: anywhere; }' +
        '.fusewise-tree-own .fusewise-tree-name { font-weight: 700; text-decoration: underline; }' +
        '.fusewise-tree-problems { margin: 0 0 6px 0; padding: 4px 8px 4px 24px; border-left: 4px solid #b5482f; }',
    )
    .appendTo(document.head);
})();
