/** The only catalogue of components that clients of the gateway draw. */
export const CATALOG_ID = 'https://a2ui.org/specification/v0_9/catalogs/basic/catalog.json';
