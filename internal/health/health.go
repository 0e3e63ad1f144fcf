// Package health says what keeps the server from doing its work, and how to mend it.
//
// The same checks stand behind /readyz, the banner administrators see on the pages, and `huilu doctor`. A problem
// has a code that stays the same, a sentence in English and one in Chinese, and says what to do. A full disk, a dead database
// or a missing ffmpeg shows up here and in the log, never as a recording that is silently missing.
package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"huilu/internal/compose"
	"huilu/internal/config"
)

// Problem is something an administrator should mend.
type Problem struct {
	Code  string `json:"code"` // stable, such as "disk_full"
	EN    string `json:"text_en"`
	ZH    string `json:"text_zh"`
	Fatal bool   `json:"fatal"` // the server cannot do its main job until it is mended
}

// Free space below which somebody should be told, and below which nothing more fits.
const (
	lowDisk  = 5 << 30   // bytes
	fullDisk = 512 << 20 // bytes
)

// Database says whether it takes and keeps what is written.
type Database interface {
	Healthy(ctx context.Context) error
}

// fresh is how long an answer is good for: anybody may ask /readyz, as often as they like, and each look starts a program.
const fresh = 2 * time.Second

// Checks looks after one server. It is safe for concurrent use.
type Checks struct {
	config   config.Config
	database Database

	mu     sync.Mutex // held while looking, guards what follows
	found  []Problem
	looked time.Time
}

// New returns the checks of a server.
func New(c config.Config, d Database) *Checks { return &Checks{config: c, database: d} }

// Problems runs the checks that make sense while the server runs, unless somebody did a moment ago. It takes well under a second.
func (c *Checks) Problems(ctx context.Context) []Problem {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.looked.IsZero() && time.Since(c.looked) < fresh {
		return slices.Clone(c.found)
	}
	// Whoever asked may have gone; the answer is for the next ones as well.
	ctx = context.WithoutCancel(ctx)
	c.found = slices.Concat(c.askDatabase(ctx), Disk(c.config.Data), Programs(ctx, c.config), Camera(c.config))
	c.looked = time.Now()
	return slices.Clone(c.found)
}

// Composing returns what keeps this machine from composing right now; nil when it can.
func Composing(ctx context.Context, cfg config.Config) error {
	for _, p := range slices.Concat(Disk(cfg.Data), Programs(ctx, cfg)) {
		if p.Fatal {
			return errors.New(p.EN)
		}
	}
	return nil
}

// Ready reports whether none of the problems is fatal.
func Ready(ps []Problem) bool {
	for _, p := range ps {
		if p.Fatal {
			return false
		}
	}
	return true
}

func (c *Checks) askDatabase(ctx context.Context) []Problem {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := c.database.Healthy(ctx); err != nil {
		return []Problem{{
			Code: "database", Fatal: true,
			EN: fmt.Sprintf("The database does not answer (%v). Meetings and the API stand still; recordings that run go on to disk. Check the setting database and its server.", err),
			ZH: fmt.Sprintf("数据库没有响应（%v）。会议和接口暂不可用，正在进行的录制仍会写入磁盘。请检查 database 设置和数据库服务。", err),
		}}
	}
	return nil
}

// Disk looks at the room left in the folder of everything that is kept.
func Disk(folder string) []Problem {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return []Problem{{
			Code: "data_folder", Fatal: true,
			EN: fmt.Sprintf("The data folder %s cannot be used (%v). Make it, or correct the setting data.", folder, err),
			ZH: fmt.Sprintf("数据目录 %s 不可用（%v）。请创建该目录或修改 data 设置。", folder, err),
		}}
	}
	free := int64(s.Bavail) * s.Bsize
	p := Problem{
		Code: "disk_low",
		EN:   fmt.Sprintf("Only %d MB are left in %s: about %d minutes of one meeting. Free some room before recordings lose their picture.", free>>20, folder, free>>20/25),
		ZH:   fmt.Sprintf("%s 仅剩 %d MB，约够一场会议录制 %d 分钟。请尽快清理，否则录制将丢失画面。", folder, free>>20, free>>20/25),
	}
	switch {
	case free < fullDisk:
		p.Code, p.Fatal = "disk_full", true
		return []Problem{p}
	case free < lowDisk:
		return []Problem{p}
	}
	return nil
}

// Programs looks for ffmpeg, what it must be able to do, and fonts to draw names with.
func Programs(ctx context.Context, cfg config.Config) []Problem {
	if !cfg.Has("composer") {
		return nil
	}
	for _, program := range []string{cfg.FFmpeg, cfg.FFprobe} {
		if _, err := exec.LookPath(program); err != nil {
			return []Problem{{
				Code: "ffmpeg", Fatal: true,
				EN: fmt.Sprintf("%s is not there. Meetings are captured, but no recording becomes ready. Install it (apt-get install ffmpeg) or correct composer.ffmpeg; waiting recordings are then produced.", program),
				ZH: fmt.Sprintf("找不到 %s。会议仍会被采集，但录制文件无法生成。请安装（apt-get install ffmpeg）或修改 composer.ffmpeg 设置，等待中的录制会随后生成。", program),
			}}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, cfg.FFmpeg, "-hide_banner", "-encoders").Output()
	if err != nil || !strings.Contains(string(out), " libx264 ") || !strings.Contains(string(out), " aac ") {
		return []Problem{{
			Code: "ffmpeg_encoders", Fatal: true,
			EN: "This ffmpeg cannot encode H.264 (libx264) and AAC, which recordings need. Install Debian's ffmpeg.",
			ZH: "当前 ffmpeg 不支持录制所需的 H.264（libx264）和 AAC 编码。请安装 Debian 自带的 ffmpeg。",
		}}
	}
	if err := compose.CheckFonts(ctx); err != nil {
		return []Problem{{
			Code: "fonts", Fatal: true,
			EN: fmt.Sprintf("Names cannot be drawn into recordings (%v). Install the fonts (apt-get install fonts-dejavu-core fonts-noto-cjk fontconfig); waiting recordings are then produced.", err),
			ZH: fmt.Sprintf("无法在录制画面中绘制姓名（%v）。请安装字体（apt-get install fonts-dejavu-core fonts-noto-cjk fontconfig），等待中的录制会随后生成。", err),
		}}
	}
	return nil
}

// Camera tells whether browsers will give pages camera and microphone: only on https, or on this very machine.
func Camera(cfg config.Config) []Problem {
	u, err := url.Parse(cfg.PublicURL)
	if err == nil && (u.Scheme == "https" || isLoopback(u.Hostname())) {
		return nil
	}
	return []Problem{{
		Code: "no_https",
		EN:   fmt.Sprintf("Browsers give %s no camera and no microphone, because it is not https. Set tls.domain, or tls.cert and tls.key, or put a proxy with https in front and set public_url.", cfg.PublicURL),
		ZH:   fmt.Sprintf("%s 不是 https，浏览器不会提供摄像头和麦克风。请设置 tls.domain，或 tls.cert 与 tls.key，或在前面部署 https 代理并设置 public_url。", cfg.PublicURL),
	}}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// Ports tells whether the ports of a server that is not running are free.
func Ports(cfg config.Config) []Problem {
	var ps []Problem
	taken := func(setting, where string, err error) {
		ps = append(ps, Problem{
			Code: "port", Fatal: true,
			EN: fmt.Sprintf("%s cannot be opened (%v). Is huilu, or something else, running there? Otherwise change %s.", where, err, setting),
			ZH: fmt.Sprintf("无法监听 %s（%v）。是否已有 huilu 或其他程序占用？否则请修改 %s。", where, err, setting),
		})
	}
	if l, err := net.Listen("tcp", cfg.Listen); err != nil {
		taken("listen", cfg.Listen, err)
	} else {
		_ = l.Close()
	}
	udp := fmt.Sprintf(":%d", cfg.SFU.UDPPort)
	if l, err := net.ListenPacket("udp", udp); err != nil {
		taken("sfu.udp_port", "UDP "+udp, err)
	} else {
		_ = l.Close()
	}
	if cfg.SFU.TCPPort == 0 {
		return ps
	}
	tcp := fmt.Sprintf(":%d", cfg.SFU.TCPPort)
	if l, err := net.Listen("tcp", tcp); err != nil {
		taken("sfu.tcp_port", "TCP "+tcp, err)
	} else {
		_ = l.Close()
	}
	return ps
}

// Clock tells whether this machine's time can be right: it must not be before a file the server wrote.
func Clock(cfg config.Config, now time.Time) []Problem {
	info, err := os.Stat(filepath.Join(cfg.Data, "master.key"))
	if err != nil || !now.Before(info.ModTime().Add(-time.Minute)) {
		return nil
	}
	return []Problem{{
		Code: "clock",
		EN:   fmt.Sprintf("This machine's clock (%s) is behind files it wrote earlier. Tokens and the order of events depend on it: set the time (timedatectl set-ntp true).", now.UTC().Format(time.RFC3339)),
		ZH:   fmt.Sprintf("本机时间（%s）早于已写入的文件。令牌和事件顺序依赖时钟，请校时（timedatectl set-ntp true）。", now.UTC().Format(time.RFC3339)),
	}}
}
