/** Version of the palette, as package.json has it: a recording says what made it. */
export const VERSION = '0.1.0';
