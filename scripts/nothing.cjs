// What bundles take for packages that are asked for and not used.
module.exports = {};
