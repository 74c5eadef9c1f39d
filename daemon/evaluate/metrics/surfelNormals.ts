/**
 * Normals of the surface elements of marching cubes for the 256 neighbourhoods of 2×2×2 voxels, as in `lookup_tables.py` of
 * surface-distance 0.1 (Copyright 2018 Google Inc., Apache-2.0). A word a neighbourhood, in the order of their codes; three
 * letters a normal, one an axis: a … i are −4/8 … 4/8 of the area of a voxel's face.
 */
const words = `
eee fff ddf ccegge fdf cecgeg fdfddf ieegggfff dff fffdff cegceg ieeccgddf gcegce ieegcgdfd aeecggdff
ieeiee fdd eccegg ddffdd eaegggfff fdffdd eeagggddd ddffdffdd dddcccgggfff dfffdd ecceggdff cegcegfdd
fffhhhecgceg fddgcegce hhhegcdddcge aeedddcccfff aeedddccc fdf ffffdf ecgegc eaeffdggc fdffdf fdfcecgeg
ecgegcfdf bbheggffdcec dfffdf ffffdfdff eeiccgddf ggcggcffdddf fdfgcegce ieegcgdfdfdf egchbbdffgge
aeeccgddf gcecge eiecggfdd eiefdfcgc eieeae gcecgefdf bbbcegdddcge fffeaecccddd eaecccddd dffgcecge
eieggcddfddf bhbccedfdceg eieggcddf gcecgegcegce ccecceddf fffccecce ccecce ddf fffddf ddfddf ddfccegge
ecgecg eeigcgfdf ecgecgddf hbheccdfdgge ddfdff fffddfdff ddfcegceg ieeccgddfddf eiecgcfdf cgccgcdfddfd
cechbbegcdff ieecgcfdf ceggec eeicggdff ddfceggec cecbhhccedff eeaggcddf eeieei ffffffgggeei fffgggeei
ceggecdff eeigcgfdffdf cegcegceggec fdfgeggeg gegbbhcgeddf eeigcgfdf fffgeggeg geggeg ddffdf fffddffdf
ddfecgegc eaeffdggcddf ecgecgfdf eeigcgfdffdf ecgecgecgegc eggeggfdd dfffdfddf dfffdfddffff eeiccgddfddf
ffffdffdd eiecgcfdffdf fffddffdd ecceggfff ffffdd ieegccfdd cggdffcggfdd hbheggdfdceg eaecggdff
bbhgceeggddf dffcggeei fffeggegg eggegg ieegggffffff fdfddffff cecgegfff ffffdf cceggefff fffddf ffffff fff
fff ffffff fffddf cceggefff ffffdf cecgegfff fdfddffff ieegggffffff eggegg fffeggegg dffcggeei bbhgceeggddf
eaecggdff hbheggdfdceg cggdffcggfdd ieegccfdd ffffdd ecceggfff fffddffdd eiecgcfdffdf ffffdffdd
eeiccgddfddf dfffdfddffff dfffdfddf eggeggfdd ecceggeggegg eeigcgfdffdf ecgecgfdf eaeffdggcddf ddfecgegc
fffddffdf ddffdf geggeg fffgeggeg eeigcgfdf gegbbhcgeddf fdfgeggeg cecgeggeggeg eeigcgfdffdf ceggecdff
fffgggeei ffffffgggeei eeieei eeaggcddf cecbhhccedff ddfceggec eeicggdff ceggec ieecgcfdf cechbbegcdff
cgccgcdfddfd eiecgcfdf ieeccgddfddf ddfcegceg fffddfdff ddfdff hbheccdfdgge ecgecgddf eeigcgfdf ecgecg
ddfccegge ddfddf fffddf ddf ccecce fffccecce ccecceddf ccecceccegge eieggcddf bhbccedfdceg eieggcddfddf
dffgcecge eaecccddd fffeaecccddd bbbcegdddcge gcecgefdf eieeae eiefdfcgc eiecggfdd gcecge aeeccgddf
egchbbdffgge ieegcgdfdfdf fdfgcegce ggcggcffdddf eeiccgddf ffffdfdff dfffdf bbheggffdcec ecgegcfdf
fdfcecgeg fdffdf eaeffdggc ecgegc ffffdf fdf aeedddccc aeedddcccfff hhhegcdddcge fddgcegce fffhhhecgceg
cegcegfdd ecceggdff dfffdd dddcccgggfff ddffdffdd eeagggddd fdffdd eaegggfff ddffdd eccegg fdd ieeiee
aeecggdff ieegcgdfd gcegce ieeccgddf cegceg fffdff dff ieegggfff fdfddf cecgeg fdf ccegge ddf fff eee`;

/** By code: the normals one after the other, three components each. */
export const surfelNormals: readonly (readonly number[])[] = words
  .trim()
  .split(/\s+/)
  .map((word) => Array.from(word, (letter) => (letter.charCodeAt(0) - 'e'.charCodeAt(0)) / 8));
