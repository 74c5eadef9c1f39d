"""UniMiSS's downstream networks in plain PyTorch: to check ours against, and to time our fine-tuning step against on the same machine.

    python torch_downstream.py check ../golden/data      # this port against the reference's golden files classification-3D, segmentation-3D
    python torch_downstream.py write ../golden/data      # classification-2D.json and segmentation-2D.json, computed in float64
    python torch_downstream.py bench --task segmentation --size 48 192 192 --batch 2 --classes 14 [--channels-last] [--steps 3]
    python torch_downstream.py windows --size 48 192 192 --classes 118 [--channels-last] [--steps 3]   # logits only, as prediction needs them

`bench` prints one JSON line: milliseconds of the fastest and the median step after warm-up, peak resident memory in MiB.
Needs only PyTorch and NumPy. Weights and inputs of golden files are computed from their names (test/golden/data/README.md).
"""
import argparse, json, math, os, re, resource, statistics, sys, time
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

DIMS, HEADS, REDUCTIONS = (48, 128, 256, 512), (1, 2, 4, 8), (6, 4, 2, 1)
DEC_DIMS, DEC_HEADS, DEC_REDUCTIONS = (256, 128, 48), (8, 4, 2), (2, 4, 6)
DEPTHS = {'tiny': ((1, 1, 1, 1), (1, 1, 1)), 'small': ((2, 3, 4, 3), (3, 4, 3))}
STEM = 32


class ConvBlock(nn.Module):
    def __init__(self, nd, cin, cout, k, stride):
        super().__init__()
        conv, norm = (nn.Conv2d, nn.InstanceNorm2d) if nd == 2 else (nn.Conv3d, nn.InstanceNorm3d)
        self.conv = conv(cin, cout, k, stride=stride, padding=k // 2, bias=False)
        self.norm = norm(cout, affine=True)

    def forward(self, x):
        return F.leaky_relu(self.norm(self.conv(x)), 0.01)


class PatchEmbed(nn.Module):
    def __init__(self, nd, cin, cout):
        super().__init__()
        self.proj = ConvBlock(nd, cin, cout, 3, 2)

    def forward(self, x):
        return self.proj(x)


class Upsampling(nn.Module):
    def __init__(self, nd, cin, cout):
        super().__init__()
        self.proj = (nn.ConvTranspose2d if nd == 2 else nn.ConvTranspose3d)(cin, cout, 2, 2)

    def forward(self, x):
        return self.proj(x)


class Attention(nn.Module):
    def __init__(self, nd, dim, heads, sr, bias):
        super().__init__()
        self.heads, self.reduces = heads, sr > 1
        self.q, self.kv, self.proj = nn.Linear(dim, dim, bias=bias), nn.Linear(dim, 2 * dim, bias=bias), nn.Linear(dim, dim)
        if self.reduces:
            self.sr = (nn.Conv2d if nd == 2 else nn.Conv3d)(dim, dim, sr, sr)
            self.norm = nn.LayerNorm(dim)

    def forward(self, y, grid):
        b, n, c = y.shape
        first = n - math.prod(grid)  # class tokens
        q = self.q(y).view(b, n, self.heads, -1).transpose(1, 2)
        if self.reduces:
            p = self.sr(y[:, first:].transpose(1, 2).reshape(b, c, *grid)).flatten(2).transpose(1, 2)
            y = self.norm(torch.cat((y[:, :first], p), 1))
        k, v = self.kv(y).view(b, -1, 2, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        a = ((q @ k.transpose(-2, -1)) * (c // self.heads) ** -0.5).softmax(-1) @ v
        return self.proj(a.transpose(1, 2).reshape(b, n, c))


class Mlp(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, nd, dim, heads, sr, bias, eps):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=eps), nn.LayerNorm(dim, eps=eps)
        self.attn, self.mlp = Attention(nd, dim, heads, sr, bias), Mlp(dim)

    def forward(self, x, grid):
        x = x + self.attn(self.norm1(x), grid)
        return x + self.mlp(self.norm2(x))


def stem_stride(nd):
    return 2 if nd == 2 else (1, 2, 2)


def grids(nd, size):
    """Token grids of the four stages."""
    stem = [s // f for s, f in zip(size, (2, 2) if nd == 2 else (1, 2, 2))]
    return [tuple(s // 2 ** (k + 1) for s in stem) for k in range(4)]


def to_map(tokens, grid):
    return tokens.transpose(1, 2).reshape(tokens.shape[0], -1, *grid)


class Encoder(nn.Module):
    """Stem and four stages; with class tokens for classification, without for segmentation. Trained at the size it is made for."""

    def __init__(self, nd, channels, size, depths, class_tokens):
        super().__init__()
        self.class_tokens, self.depths = class_tokens, depths
        for k, (grid, dim) in enumerate(zip(grids(nd, size), DIMS)):
            self.register_parameter(f'pos_embed{k + 1}', nn.Parameter(0.02 * torch.randn(1, class_tokens + math.prod(grid), dim)))
        if class_tokens:
            self.cls_tokens1 = nn.Parameter(0.02 * torch.randn(1, 1, DIMS[0]))
            for k in range(3):
                setattr(self, f'cls_tokens{k + 2}', nn.Linear(DIMS[k], DIMS[k + 1]))
        self.patch_embed0 = ConvBlock(nd, channels, STEM, 7, stem_stride(nd))
        for k, (a, b) in enumerate(zip((STEM,) + DIMS, DIMS)):
            setattr(self, f'patch_embed{k + 1}', PatchEmbed(nd, a, b))
            blocks = (Block(nd, b, HEADS[k], REDUCTIONS[k], True, 1e-6) for _ in range(depths[k]))
            setattr(self, f'block{k + 1}', nn.ModuleList(blocks))

    def forward(self, x):
        x = stem = self.patch_embed0(x)
        cls = self.cls_tokens1.expand(x.shape[0], -1, -1) if self.class_tokens else None
        maps = []
        for k in range(4):
            x = getattr(self, f'patch_embed{k + 1}')(x)
            grid = x.shape[2:]
            t = x.flatten(2).transpose(1, 2)
            if cls is not None:
                cls = getattr(self, f'cls_tokens{k + 1}')(cls) if k else cls
                t = torch.cat((cls, t), 1)
            t = t + getattr(self, f'pos_embed{k + 1}')
            for block in getattr(self, f'block{k + 1}'):
                t = block(t, grid)
            cls = t[:, :1] if cls is not None else None
            x = to_map(t[:, self.class_tokens:], grid)
            maps.append(x)
        return stem, maps, t


class Classification(nn.Module):
    def __init__(self, nd, channels, size, classes, arch='tiny'):
        super().__init__()
        self.encoder = Encoder(nd, channels, size, DEPTHS[arch][0], 1)
        self.norm_new, self.head_new = nn.LayerNorm(DIMS[3]), nn.Linear(DIMS[3], classes)

    def forward(self, x):
        t = self.norm_new(self.encoder(x)[2])
        return (self.head_new(t[:, 0]) + self.head_new(t[:, 1:].mean(1))) / 2


class Segmentation(nn.Module):
    def __init__(self, nd, channels, size, classes, arch='tiny'):
        super().__init__()
        self.transformer = Encoder(nd, channels, size, DEPTHS[arch][0], 0)
        self.nd = nd
        for k, (grid, a, b) in enumerate(zip(grids(nd, size)[2::-1], (DIMS[3],) + DEC_DIMS, DEC_DIMS)):
            self.register_parameter(f'DecPosEmbed{k}', nn.Parameter(0.02 * torch.randn(1, math.prod(grid), b)))
            setattr(self, f'DecEmbed{k}', Upsampling(nd, a, b))
            blocks = (Block(nd, b, DEC_HEADS[k], DEC_REDUCTIONS[k], False, 1e-5) for _ in range(DEPTHS[arch][1][k]))
            setattr(self, f'Decblock{k}', nn.ModuleList(blocks))
        self.norm = nn.LayerNorm(DEC_DIMS[2])
        conv, up = (nn.Conv2d, nn.ConvTranspose2d) if nd == 2 else (nn.Conv3d, nn.ConvTranspose3d)
        self.transposeconv_stage3 = up(DEC_DIMS[2], STEM, 2, 2)
        self.stage3_de = ConvBlock(nd, STEM, STEM, 3, 1)
        for k, dim in enumerate(DEC_DIMS + (STEM,)):
            setattr(self, f'ds{k}_cls_conv', conv(dim, classes, 1))
        self.cls_conv = conv(STEM, classes, 1)

    def forward(self, x, scales=5):
        """Logits, the finest first: the image's grid, the stem's, then the decoder's stages; the first `scales` of them."""
        stem, maps, _ = self.transformer(x)
        x, decoded = maps[3], []
        for k in range(3):
            x = getattr(self, f'DecEmbed{k}')(x) + maps[2 - k]
            grid = x.shape[2:]
            t = x.flatten(2).transpose(1, 2) + getattr(self, f'DecPosEmbed{k}')
            for block in getattr(self, f'Decblock{k}'):
                t = block(t, grid)
            x = to_map(self.norm(t) if k == 2 else t, grid)
            decoded.append(x)
        x = self.stage3_de(self.transposeconv_stage3(x) + stem)
        factor, mode = (2, 'bilinear') if self.nd == 2 else ((1, 2, 2), 'trilinear')
        outputs = [F.interpolate(self.cls_conv(x), scale_factor=factor, mode=mode, align_corners=False)]
        for k, y in list(enumerate(decoded + [x]))[::-1][:scales - 1]:
            outputs.append(getattr(self, f'ds{k}_cls_conv')(y))
        return outputs


def dice_and_entropy(logits, labels):
    """Batch Dice over the foreground, smooth 1e-5, and the mean cross-entropy."""
    p = logits.softmax(1)
    y = torch.zeros_like(p).scatter_(1, labels[:, None], 1)
    axes = [0] + list(range(2, p.dim()))
    dice = (2 * (p * y).sum(axes) + 1e-5) / (p.sum(axes) + y.sum(axes) + 1e-5 + 1e-8)
    return dice[1:].mean(), F.cross_entropy(logits, labels)


def labels_at(labels, shape):
    return F.interpolate(labels[:, None].double(), size=shape, mode='nearest-exact')[:, 0].long()


WEIGHTS = [w / 1.875 for w in (1, 1 / 2, 1 / 4, 1 / 8)]


def supervised_loss(outputs, labels):
    total = 0
    for w, logits in zip(WEIGHTS, outputs):
        dice, entropy = dice_and_entropy(logits, labels if logits.shape[2:] == labels.shape[1:] else labels_at(labels, logits.shape[2:]))
        total = total + w * (entropy - dice)
    return total


# --- golden files ---------------------------------------------------------------------------------------------------------------


def computed(name, n):
    """u in [-1, 1) for the first n indices of a name."""
    h = 0x811C9DC5
    for byte in name.encode():
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    x = ((np.arange(n, dtype=np.uint64) + h) & 0xFFFFFFFF).astype(np.uint32)
    with np.errstate(over='ignore'):
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(13)
        x *= np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2**31 - 1


def golden_name(net, nd, name):
    """Classification keeps the modality in the names of the encoder; segmentation has none."""
    if isinstance(net, Segmentation):
        return name
    return re.sub(r'^(pos_embed|patch_embed)', rf'\g<1>{nd}D', name.removeprefix('encoder.')).replace('.attn.sr.', f'.attn.sr{nd}D.')


def load_golden(net, nd):
    names = {}
    for own, p in net.named_parameters():
        name = names[own] = golden_name(net, nd, own)
        u, shape = computed(name, p.numel()), p.shape
        if 'pos_embed' in name or 'PosEmbed' in name or name == 'cls_tokens1':
            u = 0.02 * u
        elif len(shape) == 1:
            u = 1 + 0.1 * u if name.endswith('weight') else 0.05 * u
        else:
            u = u * math.sqrt(3 / math.prod(shape[1:]))
        p.data = torch.from_numpy(u.astype(np.float32).astype(np.float64)).reshape(shape)
    return names


def golden_inputs(name, shape):
    u = computed(name, math.prod(shape))
    u = 0.5 * u + 0.5 if len(shape) == 4 else u
    return torch.from_numpy(u.astype(np.float32).astype(np.float64)).reshape(shape)


def summary(t):
    flat = t.detach().flatten()
    return dict(shape=list(t.shape), norm=flat.norm().item(), mean=flat.mean().item(), first=flat[:16].tolist())


def norms(net, names):
    return {names[n]: p.grad.norm().item() for n, p in net.named_parameters() if p.grad is not None}


def run_classification(golden):
    shape, nd = golden['shape'], len(golden['shape']) - 2
    net = Classification(nd, shape[1], shape[2:], golden['classes'], golden['arch']).double()
    names = load_golden(net, nd)
    logits = net(golden_inputs(golden['input'], shape))
    loss = F.cross_entropy(logits, torch.tensor(golden['labels']))
    loss.backward()
    return dict(golden, logits=logits.tolist(), loss=loss.item(), gradNorms=norms(net, names))


def run_segmentation(golden):
    shape, nd = golden['shape'], len(golden['shape']) - 2
    net = Segmentation(nd, shape[1], shape[2:], golden['classes'], golden['arch']).double()
    names = load_golden(net, nd)
    label_shape = [shape[0]] + shape[2:]
    u = computed(golden['input'] + '.label', math.prod(label_shape))
    labels = np.minimum(np.floor((u + 1) * golden['classes'] / 2), golden['classes'] - 1).astype(np.int64)
    labels = torch.from_numpy(labels).reshape(label_shape)
    images = golden_inputs(golden['input'], shape)
    outputs = net(images)
    dice, entropy = dice_and_entropy(outputs[0], labels)
    (entropy - dice).backward()
    result = dict(golden, outputs=[summary(t) for t in outputs],
                  fullResolutionLoss=dict(dice=-dice.item(), crossEntropy=entropy.item(), note='batch Dice over foreground classes, smooth 1e-5, negated; no deep supervision'),
                  gradNorms=norms(net, names))
    net.zero_grad(set_to_none=True)
    loss = supervised_loss(net(images, 4), labels)
    loss.backward()
    result['deepSupervision'] = dict(loss=loss.item(), weights=[8 / 15, 4 / 15, 2 / 15, 1 / 15, 0], gradNorms=norms(net, names),
                                     note='Dice + cross-entropy at each scale, labels by nearest-exact sampling')
    return result


def relative(a, b):
    return abs(a / b - 1)


def check(folder):
    load = lambda name: json.load(open(os.path.join(folder, name)))
    golden = load('classification-3D.json')
    mine, worst = run_classification(golden), {}
    worst['classification-3D logits'] = float(np.abs(np.array(mine['logits']) - np.array(golden['logits'])).max())
    worst['classification-3D loss'] = relative(mine['loss'], golden['loss'])
    assert mine['gradNorms'].keys() == golden['gradNorms'].keys()
    worst['classification-3D gradients'] = max(relative(mine['gradNorms'][k], v) for k, v in golden['gradNorms'].items())
    golden = load('segmentation-3D.json')
    mine = run_segmentation(golden)
    for a, b in zip(mine['outputs'], golden['outputs'], strict=True):
        assert a['shape'] == b['shape']
        rms = b['norm'] / math.sqrt(math.prod(b['shape']))
        worst[f'segmentation-3D output {b["shape"]}'] = max(abs(p - q) for p, q in zip(a['first'], b['first'])) / rms
    for key in ('dice', 'crossEntropy'):
        worst[f'segmentation-3D {key}'] = relative(mine['fullResolutionLoss'][key], golden['fullResolutionLoss'][key])
    assert mine['gradNorms'].keys() == golden['gradNorms'].keys()
    worst['segmentation-3D gradients'] = max(relative(mine['gradNorms'][k], v) for k, v in golden['gradNorms'].items())
    for what, error in worst.items():
        limit = 5e-2 if 'gradients' in what else 1e-4 if what.split()[1] in ('loss', 'dice', 'crossEntropy') else 1e-3
        print(f'{what}: {error:.1e} (limit {limit:.0e})')
        if error > limit:
            sys.exit('This port does not compute what the reference computes.')


def write(folder):
    save = lambda name, value: json.dump(value, open(os.path.join(folder, name), 'w'), indent=0)
    save('classification-2D.json', run_classification(dict(arch='tiny', input='p.cls2D', shape=[2, 3, 128, 96], classes=3, labels=[2, 0])))
    save('segmentation-2D.json', run_segmentation(dict(arch='tiny', input='p.seg2D', shape=[2, 1, 96, 128], classes=3,
                                                       label='floor of (u + 1) * 3 / 2, at most 2, of p.seg2D.label')))


# --- time and memory ------------------------------------------------------------------------------------------------------------


def bench(o):
    if o.threads:
        torch.set_num_threads(o.threads)
    nd = len(o.size)
    net = {'classification': Classification, 'segmentation': Segmentation}[o.task](nd, o.channels, o.size, o.classes, o.arch)
    images = torch.randn(o.batch, o.channels, *o.size)
    if o.channels_last:
        layout = torch.channels_last if nd == 2 else torch.channels_last_3d
        net, images = net.to(memory_format=layout), images.to(memory_format=layout)
    # The coarsest classifier has weight 0: it is neither computed nor trained, here as in ours.
    trained = [p for n, p in net.named_parameters() if not n.startswith('ds0_')]
    opt = torch.optim.AdamW(trained, lr=1e-4, weight_decay=5e-4, fused=True)
    of_image = o.task == 'classification'
    labels = torch.randint(o.classes, (o.batch,) if of_image else (o.batch, *o.size))

    def step():
        loss = F.cross_entropy(net(images), labels) if of_image else supervised_loss(net(images, 4), labels)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 12)
        opt.step()
        return loss.item()

    times = []
    for i in range(o.warmup + o.steps):
        began = time.perf_counter()
        step()
        if i >= o.warmup:
            times.append(1e3 * (time.perf_counter() - began))
    print(json.dumps(dict(task=o.task, arch=o.arch, size=o.size, batch=o.batch, classes=o.classes, channelsLast=o.channels_last,
                          torch=torch.__version__, minMs=round(min(times), 1), medianMs=round(statistics.median(times), 1),
                          peakMiB=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)))


def windows(o):
    if o.threads:
        torch.set_num_threads(o.threads)
    nd = len(o.size)
    net = Segmentation(nd, o.channels, o.size, o.classes, o.arch).eval()
    images = torch.randn(1, o.channels, *o.size)
    if o.channels_last:
        layout = torch.channels_last if nd == 2 else torch.channels_last_3d
        net, images = net.to(memory_format=layout), images.to(memory_format=layout)
    times = []
    with torch.inference_mode():
        for i in range(o.warmup + o.steps):
            began = time.perf_counter()
            net(images, 1)
            if i >= o.warmup:
                times.append(time.perf_counter() - began)
    print(json.dumps(dict(secondsPerWindow=min(times), medianSeconds=statistics.median(times), channelsLast=o.channels_last,
                          torch=torch.__version__, peakMiB=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)))


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = a.add_subparsers(dest='command', required=True)
    for name in ('check', 'write'):
        commands.add_parser(name).add_argument('folder')
    b, w = commands.add_parser('bench'), commands.add_parser('windows')
    b.add_argument('--task', default='segmentation', choices=['segmentation', 'classification'])
    b.add_argument('--batch', type=int, default=2)
    for c in (b, w):
        c.add_argument('--arch', default='tiny', choices=['tiny', 'small'])
        c.add_argument('--size', type=int, nargs='+', default=[48, 192, 192])
        c.add_argument('--channels', type=int, default=1)
        c.add_argument('--classes', type=int, default=14)
        c.add_argument('--channels-last', action='store_true')
        c.add_argument('--warmup', type=int, default=1)
        c.add_argument('--steps', type=int, default=3)
        c.add_argument('--threads', type=int, default=0)
    o = a.parse_args()
    if o.command in ('check', 'write'):
        {'check': check, 'write': write}[o.command](o.folder)
    else:
        {'bench': bench, 'windows': windows}[o.command](o)


main()
